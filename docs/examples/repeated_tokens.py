"""An embedding of sequences in which tokens repeat, with Adam."""

import keras
import numpy as np

FIT = {"batch_size": 16, "epochs": 2}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(8,), dtype="int32"),
            keras.layers.Embedding(20, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate=0.001), "binary_crossentropy")
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (64, 8) int32, tokens below 20, and y (64, 1) float32."""
    x = np.random.default_rng(seed).integers(0, 20, size=(64, 8)).astype("int32")
    return x, (x.mean(axis=1, keepdims=True) > 9.5).astype("float32")
