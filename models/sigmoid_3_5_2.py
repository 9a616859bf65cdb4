"""The first network with sigmoid in place of relu: the same data and fit settings.

It stresses the overhead of a step, like dense_3_5_2.
"""

import keras
from dense_3_5_2 import FIT, data

__all__ = ["FIT", "TAGS", "build", "data"]

TAGS = ("notes",)


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(5, activation="sigmoid"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        # The end of the notes' range: a sigmoid's gradient is a quarter of a relu's at the most.
        optimizer=keras.optimizers.SGD(learning_rate=0.1),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
