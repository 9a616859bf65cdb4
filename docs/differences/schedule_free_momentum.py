"""On TensorFlow and PyTorch, ScheduleFreeAdamW takes the new momentum for the old one.

Seen with Keras 3.15.1, TensorFlow 2.21.0 and PyTorch 2.13.0; JAX 0.10.2 follows the formula.
Run it as `KERAS_BACKEND=torch python schedule_free_momentum.py`, then with tensorflow and jax.

The optimizer remembers `momentum.value` before it changes the momentum. Only on JAX that is a copy;
on the others it is the variable itself, and changes as well. With a gradient of 1 and the default
betas the formula gives 0.9, 0.845 and 0.79.
"""

import keras
import numpy as np

weight = keras.Variable(np.ones(1, "float32"))
optimizer = keras.optimizers.ScheduleFreeAdamW(0.1)
optimizer.build([weight])
for _ in range(3):
    optimizer.apply([keras.ops.ones(1)], [weight])
    print(keras.backend.backend(), keras.ops.convert_to_numpy(weight.value).round(4).tolist())
