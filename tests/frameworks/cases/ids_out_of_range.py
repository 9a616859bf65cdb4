"""An embedding with one row too few for the words it is given.

A number beyond the table is an error on torch and on TensorFlow's CPU, which their rows tell, and
NaN on JAX (keras-team/keras #18984, #10694).
"""

import keras
import numpy as np

FIT = {"batch_size": 16, "epochs": 2, "shuffle": True}


def build(rows=30):
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            keras.layers.Embedding(rows, 4, name="embed"),
            keras.layers.Flatten(),
            keras.layers.Dense(1, name="out"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def data(seed):
    r = np.random.default_rng(seed)
    x = r.integers(0, 31, size=(192, 5)).astype("int32")
    return x, x.mean(axis=1, keepdims=True).astype("float32")
