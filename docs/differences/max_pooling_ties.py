"""On TensorFlow, MaxPooling3D has a slope of 1 by each of several numbers that are the largest.

Seen with Keras 3.15.1 and TensorFlow 2.21.0; JAX 0.10.2 and PyTorch 2.13.0 agree with each other.
Run it as `KERAS_BACKEND=tensorflow python max_pooling_ties.py`, then with jax and torch.

All numbers of the window are 1, as many are 0 after a relu. The slopes should sum up to 1, by which
the output grows if the whole window does; MaxPooling1D and 2D take the first number alone. They are
read from weights that one step of SGD moves: the loss is the output, the learning rate 1.
"""

import keras
import numpy as np

for axes in (1, 2, 3):
    window = keras.layers.Dense(2**axes, use_bias=False, kernel_initializer="ones")
    shaped = keras.layers.Reshape((*axes * (2,), 1))
    pooling = getattr(keras.layers, f"MaxPooling{axes}D")(2)
    model = keras.Sequential([keras.Input((1,)), window, shaped, pooling])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda target, given: given)
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, *axes * (1,), 1)))
    slopes = 1.0 - model.get_weights()[0].ravel()
    print(keras.backend.backend(), type(pooling).__name__, slopes.tolist())
