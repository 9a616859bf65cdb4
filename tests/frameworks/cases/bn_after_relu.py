"""Convolution, relu, batch normalization, average, on noise images between 0 and 1.

The gradients of the normalization cancel out; all agree to rounding (keras-team/keras #23229).
"""

import keras
import numpy as np

FIT = {"batch_size": 16, "epochs": 1, "shuffle": False}


def build():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, "softmax", name="out"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def data(seed):
    r = np.random.default_rng(seed)
    return r.integers(0, 256, size=(64, 8, 8, 3)).astype("uint8"), r.integers(0, 3, size=64)
