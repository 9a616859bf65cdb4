"""A network with a planted fault: one layer's output is off by 1e-4, on torch alone."""

import keras
import numpy as np

FIT = {"batch_size": 10, "epochs": 2}


class Hidden(keras.layers.Dense):
    """A Dense layer that isn't quite one on torch."""

    def call(self, inputs, training=None):
        """Return the layer's output."""
        right = super().call(inputs)
        return right * 1.0001 if keras.backend.backend() == "torch" else right


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(3,)),
            Hidden(5, activation="relu", name="hidden"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy")
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (56, 3) float32 and y (56,) int32."""
    x = np.random.default_rng(seed).normal(size=(56, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")
