"""The first network with one output and squared error: the same data and fit settings.

The output is the chance that the patient dies within 5 years; the loss is the square of its
distance to the label, 0 or 1.

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
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1),
        loss="mean_squared_error",
    )
    return model
