"""On JAX, SpectralNormalization doesn't normalize the kernel that `fit` leaves.

Seen with Keras 3.15.1 and JAX 0.10.2; TensorFlow 2.21.0 and PyTorch 2.13.0 agree with each other.
Run it as `KERAS_BACKEND=jax python spectral_normalization.py`, then with tensorflow and torch.

In training the layer divides its kernel by the largest singular value, which is 3 here, and assigns
the quotient to the kernel. JAX's compiled step keeps only those variables of a call that aren't
trainable, so it loses that: predictions come from a kernel that isn't normalized. The gradient
differs for the same reason, and goes through the division on JAX alone. The learning rate is 0, so
that nothing else changes the kernel.
"""

import keras
import numpy as np

x, y = np.array([[1.0, 2.0]], "float32"), np.array([[4.0, -1.0]], "float32")
dense = keras.layers.Dense(2, use_bias=False)
model = keras.Sequential([keras.Input((2,)), keras.layers.SpectralNormalization(dense)])
dense.set_weights([np.diag([3.0, 1.0])])
model.compile(keras.optimizers.SGD(0.0), "mse")
model.fit(x, y, epochs=20, verbose=0)
print(keras.backend.backend(), "kernel", dense.get_weights()[0].round(3).tolist())
print(keras.backend.backend(), "prediction", model.predict(x, verbose=0).round(3).tolist())
