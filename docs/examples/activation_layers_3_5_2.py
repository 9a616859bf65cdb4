"""The first network with its activations as layers of their own."""

import sys
from pathlib import Path

import keras

sys.path.append(str(Path(__file__).parents[2] / "models"))

from dense_3_5_2 import FIT, data

__all__ = ["FIT", "build", "data"]


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(5),
            keras.layers.Activation("relu"),
            keras.layers.Dense(2),
            keras.layers.Activation("softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
