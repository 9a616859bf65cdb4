"""data() returns an array of Python objects, as pandas and lists of strings give it.

It is unchecked, which one line says (keras-team/keras #18410).
"""

import keras
import numpy as np

FIT = {"batch_size": 4, "epochs": 1}


def build():
    text = keras.Input((1,), dtype="string")
    x = keras.layers.TextVectorization(output_sequence_length=3, vocabulary=["a", "b"])(text)
    x = keras.layers.Embedding(4, 2)(x)
    model = keras.Model(text, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    model.compile("sgd", "mse")
    return model


def data(seed):
    return np.array([["a b"], ["b"]] * 8, dtype=object), np.zeros((16, 1), "float32")
