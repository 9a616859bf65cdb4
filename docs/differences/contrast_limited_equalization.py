"""On PyTorch, ContrastLimitedAdaptiveHistogramEqualization leaves small images as they are.

Seen with Keras 3.15.1 and PyTorch 2.13.0; TensorFlow 2.21.0 and JAX 0.10.2 agree with each other.
Run it as `KERAS_BACKEND=torch python contrast_limited_equalization.py`, then with the others.

The layer counts the grey values of each tile by one_hot, whose default type is an integer on
PyTorch, and a float elsewhere. It casts the limit to the type of the counts: the limit
of 4 / 256 of the 16 pixels of a tile, 0.25, becomes 0, so no count is left to equalize by.
"""

import keras
import numpy as np

image = np.linspace(0.0, 100.0, 32 * 32, dtype="float32").reshape(1, 32, 32, 1)
layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization()
equalized = keras.ops.convert_to_numpy(layer(image))
counts = keras.ops.one_hot([1], 3)
print(keras.backend.backend(), "counts are", counts.dtype)
print(keras.backend.backend(), "from", image.ravel()[::200].round(1).tolist())
print(keras.backend.backend(), "to", equalized.ravel()[::200].round(1).tolist())
