"""Prints why the bare loop refuses each of these trainings, a line of JSON for each."""

import json
import sys
from typing import Any

import keras
import numpy as np
from comparing import state

from keras_bench.loops.named import training_by
from keras_bench.loops.refusals import LoopRefusal


def train(layers: Any = None, *, model: Any = None, weights: Any = None, **compiled: Any) -> Any:
    """Return what the bare loop says to a stack that it takes, but for what is given."""
    if model is None:
        plain = [keras.layers.Dense(5, "relu"), keras.layers.Dense(1, "sigmoid")]
        model = keras.Sequential([keras.Input((4,)), *(layers or plain)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    before = state(model)["weights"]
    x = np.ones((8, 4), "float32")
    try:
        training_by("bare", model)(x, np.ones(8), sample_weight=weights, verbose=0)
    except LoopRefusal as reason:
        after = state(model)["weights"]
        assert all((a == b).all() for a, b in zip(after, before, strict=True))
        return str(reason)
    return None


def dense(**settings: Any) -> list[Any]:
    return [keras.layers.Dense(1, **settings)]


def functional() -> Any:
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(1)(inputs))


def own_layer() -> list[Any]:
    class Own(keras.layers.Dense):
        pass

    return [Own(1)]


SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam
schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
ANSWERS = {
    "nothing": lambda: train(),
    "functional": lambda: train(model=functional()),
    "dropout": lambda: train([keras.layers.Dropout(0.1), *dense()]),
    "own layer": lambda: train(own_layer()),
    "frozen": lambda: train([keras.layers.Dense(5, trainable=False), *dense()]),
    "no bias": lambda: train(dense(use_bias=False)),
    "regularizer": lambda: train(dense(kernel_regularizer="l2")),
    "activation": lambda: train(dense(activation="gelu")),
    "softmax inside": lambda: train([keras.layers.Dense(5, "softmax"), *dense()]),
    "half precision": lambda: train(dense(dtype="mixed_bfloat16")),
    "loss": lambda: train(loss="mae"),
    "smoothing": lambda: train(loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1)),
    "no sigmoid": lambda: train(dense(), loss="binary_crossentropy"),
    "metric": lambda: train(metrics=["mae"]),
    "optimizer": lambda: train(optimizer="rmsprop"),
    "nesterov": lambda: train(optimizer=SGD(0.1, momentum=0.9, nesterov=True)),
    "amsgrad": lambda: train(optimizer=Adam(amsgrad=True)),
    "clipping": lambda: train(optimizer=SGD(0.1, clipnorm=1.0)),
    "schedule": lambda: train(optimizer=SGD(schedule)),
    "weights": lambda: train(weights=np.ones(8)),
}

if __name__ == "__main__":
    for name, answer in ANSWERS.items():
        sys.stdout.write(json.dumps([name, answer()]) + "\n")
