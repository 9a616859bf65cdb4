"""The length of a row as a feature, one row of zeros, and no weight before it.

The slope of a norm at 0 is no number on any backend (tensorflow/tensorflow #12071, jax-ml/jax
#3058, pytorch #2421), and no training asks for it: all agree.
"""

import keras
import numpy as np

FIT = {"batch_size": 4, "epochs": 1, "shuffle": False}


class Length(keras.layers.Layer):
    def call(self, x):
        return keras.ops.sqrt(keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True))


def build():
    model = keras.Sequential(
        [keras.Input((2,)), Length(name="length"), keras.layers.Dense(1, name="out")]
    )
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def data(seed):
    x = np.random.default_rng(seed).normal(size=(16, 2)).astype("float32")
    x[0] = 0.0
    return x, x.sum(axis=1, keepdims=True)
