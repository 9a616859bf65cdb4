"""Where two inputs of Maximum or Minimum are equal, their slopes differ between backends.

Seen with Keras 3.15.1, TensorFlow 2.21.0, JAX 0.10.2 and PyTorch 2.13.0, on a CPU.
Run it as `KERAS_BACKEND=tensorflow python maximum_ties.py`, then with jax and torch.

The slopes are read from two weights that one step of SGD moves: the loss is the larger weight, and
the learning rate 1. All of these are right, but a network trains otherwise with each.
"""

import keras
import numpy as np

for kind in (keras.layers.Maximum, keras.layers.Minimum):
    start = keras.Input((1,))
    dense = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2)]
    model = keras.Model(start, kind()([layer(start) for layer in dense]))
    model.compile(keras.optimizers.SGD(1.0), loss=lambda target, given: given)
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    slopes = [1.0 - float(weight.item()) for weight in model.get_weights()]
    print(keras.backend.backend(), kind.__name__, slopes)
