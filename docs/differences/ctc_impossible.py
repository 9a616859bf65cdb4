"""The CTC loss of a target that doesn't fit into the steps is another number on each backend.

Seen with Keras 3.15.1, TensorFlow 2.21.0, JAX 0.10.2 and PyTorch 2.13.0, on a CPU.
Run it as `KERAS_BACKEND=tensorflow python ctc_impossible.py`, then with jax and torch.

Three times the same label needs five steps, with a blank between each two, and there are four: the
probability is 0. The loss is infinite on PyTorch, and so the weights are no numbers after a step.
"""

import keras
import numpy as np

model = keras.Sequential([keras.Input((4, 4)), keras.layers.Dense(4, use_bias=False)])
model.layers[0].set_weights([np.eye(4)])
model.compile(keras.optimizers.SGD(0.1), keras.losses.CTC())
x = np.linspace(-1.0, 1.0, 16, dtype="float32").reshape(1, 4, 4)
loss = model.train_on_batch(x, np.array([[1, 1, 1]]))
print(keras.backend.backend(), "loss", float(loss))
print(keras.backend.backend(), "kernel", model.get_weights()[0].round(3)[0].tolist())
