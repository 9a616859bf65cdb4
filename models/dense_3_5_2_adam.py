"""The first network with Adam in place of SGD: the same data and fit settings.

It stresses the overhead of a step, the optimizer's included.
"""

import keras
from dense_3_5_2 import FIT, data
from dense_3_5_2 import build as build_with_sgd

__all__ = ["FIT", "TAGS", "build", "data"]

TAGS = ("notes",)


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = build_with_sgd()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
