"""On PyTorch, LayerNormalization normalizes the last axis where it is told another one.

Seen with Keras 3.15.1 and PyTorch 2.13.0; TensorFlow 2.21.0 and JAX 0.10.2 agree with each other.
Run it as `KERAS_BACKEND=torch python layer_normalization_axis.py`, then with tensorflow and jax.

PyTorch's own function normalizes the last axes, and Keras gives it the size of axis 1 alone. Where
both axes are of one size the result is another one, and nothing says so; otherwise it raises.
"""

import keras
import numpy as np

square = np.array([[[1.0, 5.0], [3.0, 5.0]]], "float32")
for x in (square, np.repeat(square, 2, axis=2)):
    try:
        normalized = keras.layers.LayerNormalization(axis=1)(x)
        print(keras.backend.backend(), keras.ops.convert_to_numpy(normalized).round(3).tolist())
    except RuntimeError as error:
        print(keras.backend.backend(), "raises", str(error).split("\n")[2][4:64])
