"""A workload: plain Keras. Change it into your own, or let build() import your own."""

import keras
import numpy as np

# Arguments of Model.fit.
FIT = {"batch_size": 32, "epochs": 10, "shuffle": True}


def build(units=64):
    """Return the compiled model. `--set units=32,64` measures both."""
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


def data(seed):
    """Return x and y. Without this function the model is trained on random data."""
    x = np.random.default_rng(seed).normal(size=(5000, 8)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)
