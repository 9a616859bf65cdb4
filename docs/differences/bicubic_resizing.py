"""Bicubic interpolation follows another curve on PyTorch, in Resizing and UpSampling2D.

Seen with Keras 3.15.1 and PyTorch 2.13.0; TensorFlow 2.21.0 and JAX 0.10.2 agree with each other.
Run it as `KERAS_BACKEND=torch python bicubic_resizing.py`, then with tensorflow and jax.

The cubic has a free coefficient, which is -0.5 on TensorFlow and JAX, and -0.75 on PyTorch. With
antialias=True it is -0.5 on PyTorch, too.
"""

import keras
import numpy as np

x = np.array([0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0], "float32").reshape(1, 1, 7, 1)
layers = {
    "Resizing": keras.layers.Resizing(1, 14, "bicubic"),
    "Resizing, antialias": keras.layers.Resizing(1, 14, "bicubic", antialias=True),
    "UpSampling2D": keras.layers.UpSampling2D((1, 2), interpolation="bicubic"),
}
for name, layer in layers.items():
    resized = keras.ops.convert_to_numpy(layer(x)).ravel()
    print(keras.backend.backend(), name, resized[2:8].round(4).tolist())
