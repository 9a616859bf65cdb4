"""A small convolutional network on images of digits: Conv2D and MaxPooling2D, twice.

It stresses convolution and pooling, whose algorithms differ between backends.
"""

import keras
import numpy as np
from digits import load

TAGS = ("layers",)
FIT = {"batch_size": 32, "epochs": 10, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.003),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (1797, 8, 8, 1) float32 in [0, 1] and y (1797,) int32; the seed shuffles."""
    images, labels = load(seed)
    return images[..., None], labels
