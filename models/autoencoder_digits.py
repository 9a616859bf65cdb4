"""An autoencoder: it learns from unlabelled images of digits to draw them again from 8 numbers.

There are no labels: what the network is to give is what it is given. The narrow layer in the
middle makes it find out what the images have in common.

It stresses a chain of small layers, with squared error over many outputs.
"""

import keras
import numpy as np
from digits import load

TAGS = ("notes",)
FIT = {"batch_size": 32, "epochs": 20, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(8),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.003),
        loss="mean_squared_error",
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (1797, 64) float32 in [0, 1], and x again as y; the seed shuffles."""
    images, _ = load(seed)
    x = images.reshape(-1, 64)
    return x, x
