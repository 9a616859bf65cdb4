"""A convolution with a bias over images of 64 x 64, averaged: 32 images a batch.

The gradient by the bias is a sum of 131,072 numbers. In float32 it differs by the order of the sum
alone: TensorFlow adds one by one. All agree to rounding (keras-team/keras #20804).
"""

import keras
import numpy as np

FIT = {"batch_size": 32, "epochs": 1, "shuffle": False}


def build():
    model = keras.Sequential(
        [
            keras.Input((64, 64, 1)),
            keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, name="out"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def data(seed):
    r = np.random.default_rng(seed)
    return r.uniform(size=(64, 64, 64, 1)).astype("float32"), r.normal(size=(64, 1)).astype(
        "float32"
    )
