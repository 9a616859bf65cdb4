"""The gradient of UnitNormalization at a row of zeros is no number on JAX and PyTorch.

Seen with Keras 3.15.1, TensorFlow 2.21.0, JAX 0.10.2 and PyTorch 2.13.0, on a CPU.
Run it as `KERAS_BACKEND=jax python unit_normalization_zeros.py`, then with tensorflow and torch.

Keras takes the minimum of 1 / sqrt(0) and a large number. What isn't taken has the slope 0, which
JAX and PyTorch multiply by an infinite one. So one row of zeros among the examples, as padding is,
turns all weights before the layer into NaN. On TensorFlow they stay numbers.
"""

import keras
import numpy as np

model = keras.Sequential([keras.Input((2,))])
model.add(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"))
model.add(keras.layers.UnitNormalization())
model.compile(keras.optimizers.SGD(0.1), "mse")
x = np.array([[1.0, 2.0], [0.0, 0.0]])
print(keras.backend.backend(), "loss", float(model.train_on_batch(x, np.eye(2))))
print(keras.backend.backend(), "weights", model.get_weights()[0].round(3).tolist())
