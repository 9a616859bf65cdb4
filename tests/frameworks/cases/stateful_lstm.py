"""A stateful LSTM, which carries its state from batch to batch.

On torch Keras changes the state in place, and backward raises (keras-team/keras #20875, #23462).
On JAX `fit` doesn't carry the state, and on TensorFlow it does: they part in the training by fit.
"""

import keras
import numpy as np

FIT = {"batch_size": 8, "epochs": 2, "shuffle": False}


def build():
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(8, 6, 2)),
            keras.layers.LSTM(5, stateful=True, name="lstm"),
            keras.layers.Dense(1, name="out"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def data(seed):
    r = np.random.default_rng(seed)
    return r.normal(size=(128, 6, 2)).astype("float32"), r.normal(size=(128, 1)).astype("float32")
