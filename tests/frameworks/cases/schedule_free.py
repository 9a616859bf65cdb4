"""One weight by ScheduleFreeAdamW, which solves its task from the start.

On TensorFlow `fit` builds the optimizer within its compiled function, where the optimizer's copy of
the weights starts as zeros: the first step throws all weights away. Where `optimizer.build()` is
called before, it doesn't. So TensorFlow parts in the training by fit.
"""

import keras
import numpy as np

FIT = {"batch_size": 4, "epochs": 2, "shuffle": False}


def build():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(1, kernel_initializer="ones", use_bias=False, name="out"),
        ]
    )
    model.compile(keras.optimizers.ScheduleFreeAdamW(0.01), "mse")
    return model


def data(seed):
    return np.ones((16, 2), "float32"), np.full((16, 1), 2.0, "float32")
