"""The slope of some activations where they bend differs between backends.

Seen with Keras 3.15.1, TensorFlow 2.21.0, JAX 0.10.2 and PyTorch 2.13.0, on a CPU.
Run it as `KERAS_BACKEND=tensorflow python activation_slopes.py`, then with jax and torch.

celu has no bend at 0 and its slope there is 1, but TensorFlow has 2. At a bend any slope between
those of both sides will do, but a network then trains differently on different backends. Each slope
is read from a weight w that one step of SGD moves: the loss is activation(w), the learning rate 1.
"""

import keras
import numpy as np


def slope(activation: str, at: float) -> float:
    """Return the slope of an activation at a number."""
    start = keras.initializers.Constant(at)
    layer = keras.layers.Dense(1, activation, use_bias=False, kernel_initializer=start)
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda target, prediction: prediction)
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    return at - layer.get_weights()[0].item()


CASES = [("celu", 0), ("selu", 0), ("leaky_relu", 0), ("hard_tanh", 1), ("sparse_sigmoid", 1)]
print(keras.backend.backend(), [f"{name}: {slope(name, float(at)):.4g}" for name, at in CASES])
