"""AveragePooling with padding="same" counts padded numbers on PyTorch, where padding is uneven.

Seen with Keras 3.15.1 and PyTorch 2.13.0; TensorFlow 2.21.0 and JAX 0.10.2 agree with each other.
Run it as `KERAS_BACKEND=torch python average_pooling_same.py`, then with tensorflow and jax.

Of four numbers, windows of three with a stride of two need one padded number, at the end. The last
window holds 0 and 8, so its mean is 4. On PyTorch Keras repeats the 8 as padding, and counts it.
"""

import keras
import numpy as np

x = np.array([0.0, 0.0, 0.0, 8.0], "float32").reshape(1, 4, 1)
layer = keras.layers.AveragePooling1D(3, strides=2, padding="same")
print(keras.backend.backend(), np.ravel(keras.ops.convert_to_numpy(layer(x))))
