"""Two named outputs with losses, loss weights and weights of the examples by name.

Source: keras-team/keras #20992 (open): sample_weight as a dict for named losses raises KeyError.
Right: where Keras trains it, it is measured and compared, dicts, named losses and weights included;
where it raises, every backend's row says so in one line.
"""

import keras
import numpy as np

FIT = {"batch_size": 16, "epochs": 2, "shuffle": True}


def build():
    board = keras.Input((10,), name="board")
    extra = keras.Input((3,), name="extra")
    x = keras.layers.Concatenate()([board, extra])
    x = keras.layers.Dense(12, "relu")(x)
    policy = keras.layers.Dense(4, "softmax", name="policy")(x)
    value = keras.layers.Dense(1, "tanh", name="value")(x)
    model = keras.Model({"board": board, "extra": extra}, {"policy": policy, "value": value})
    model.compile(
        keras.optimizers.AdamW(0.005),
        loss={"policy": "categorical_crossentropy", "value": "mse"},
        loss_weights={"policy": 0.3, "value": 1.0},
        metrics={"policy": ["accuracy"]},
    )
    return model


def data(seed):
    r = np.random.default_rng(seed)
    x = {
        "board": r.normal(size=(203, 10)).astype("float32"),
        "extra": r.normal(size=(203, 3)).astype("float32"),
    }
    y = {
        "policy": np.eye(4, dtype="float32")[r.integers(0, 4, 203)],
        "value": r.uniform(-1, 1, (203, 1)).astype("float32"),
    }
    w = {"policy": np.ones(203, "float32"), "value": r.uniform(0, 1, 203).astype("float32")}
    return x, y, w
