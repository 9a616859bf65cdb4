"""The second network with SGD and momentum in place of Adam: the same data and fit settings.

It stresses the overhead of a step, with a simpler optimizer.
"""

import keras
from dense_1_16_32_2 import FIT, data
from dense_1_16_32_2 import build as build_with_adam

__all__ = ["FIT", "TAGS", "build", "data"]

TAGS = ("notes",)


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = build_with_adam()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
