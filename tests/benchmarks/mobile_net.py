"""An application without its weights, on tiny images: what people time (keras-team/keras #20411).

All agree: relu6, depthwise convolutions, batch normalization. Over eight images a normalization
makes a hundred times as much of a rounding with every step.
"""

import keras
import numpy as np

FIT = {"batch_size": 8, "epochs": 1, "shuffle": True}


def build(alpha=0.35):
    base = keras.applications.MobileNetV2(
        (32, 32, 3), alpha=alpha, weights=None, include_top=False, pooling="avg"
    )
    model = keras.Sequential([keras.Input((32, 32, 3)), base, keras.layers.Dense(3)])
    model.compile(
        keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return model


def data(seed):
    r = np.random.default_rng(seed)
    return r.uniform(-1, 1, size=(48, 32, 32, 3)).astype("float32"), r.integers(0, 3, size=48)
