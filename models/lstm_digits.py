"""An LSTM layer that reads an image of a digit row by row, as a sequence of 8 vectors.

It stresses a loop over time with four gates a step.
"""

import keras
import numpy as np
from digits import load

TAGS = ("layers",)
FIT = {"batch_size": 64, "epochs": 10, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8)),
            keras.layers.LSTM(32),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (1797, 8, 8) float32 in [0, 1] and y (1797,) int32; the seed shuffles."""
    return load(seed)
