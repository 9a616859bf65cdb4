"""A dense network on images of digits, so wide that arithmetic decides, not overhead.

It stresses matrix products and the threads they run on.
"""

import keras
import numpy as np
from digits import load

TAGS = ("layers",)
FIT = {"batch_size": 128, "epochs": 10, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            keras.layers.Dense(1024, activation="relu"),
            keras.layers.Dense(1024, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (1797, 64) float32 in [0, 1] and y (1797,) int32; the seed shuffles."""
    images, labels = load(seed)
    return images.reshape(-1, 64), labels
