"""By how much a fused epoch is faster than one of `fit`, for networks that XLA could make slow.

Run it with the interpreter of a backend's environment, KERAS_BACKEND set, and PYTHONPATH the folder
`bench`: `python tests/benchmarks/fused_and_fit.py [NETWORK...]`. The two loops train in turn, one
epoch at a time, and it prints the medians in CPU time, and their ratio.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_bench.loops.fused import fit_fused

EPOCHS, EXAMPLES, BATCH_SIZE = 9, 2_000, 64

layers = keras.layers

#: The layers before the last, by name: the first says what the examples are like.
NETWORKS: dict[str, Callable[[], list[Any]]] = {
    "dense": lambda: [keras.Input((12,)), layers.Dense(64, "relu"), layers.Dense(32, "relu")],
    "dropout": lambda: [
        keras.Input((12,)),
        layers.Dense(64, "relu"),
        layers.Dropout(0.3),
        layers.Dense(32, "relu"),
        layers.Dropout(0.3),
    ],
    "noise": lambda: [
        keras.Input((12,)),
        layers.GaussianNoise(0.2),
        layers.Dense(64, "relu"),
        layers.GaussianDropout(0.2),
    ],
    "channels_dropped": lambda: [
        keras.Input((12, 8)),
        layers.SpatialDropout1D(0.3),
        layers.Flatten(),
        layers.Dense(32, "relu"),
    ],
    "lstm_with_dropout": lambda: [
        keras.Input((12, 8)),
        layers.LSTM(16, dropout=0.2, recurrent_dropout=0.2),
    ],
    "gru_with_dropout": lambda: [keras.Input((12, 8)), layers.GRU(16, dropout=0.2)],
    "convolutions": lambda: [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
    ],
    "convolutions_over_time": lambda: [
        keras.Input((12, 8)),
        layers.Conv1D(16, 3, activation="relu"),
        layers.GlobalAveragePooling1D(),
    ],
    "separable_convolutions": lambda: [
        keras.Input((8, 8, 3)),
        layers.SeparableConv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
    ],
}


def compiled(network: str) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([*NETWORKS[network](), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def epochs(network: str) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of each epoch of `fit` and of `fused`; the first compile."""
    models = compiled(network), compiled(network)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(EXAMPLES, *models[0].input_shape[1:])).astype("float32")
    y = (x.reshape(EXAMPLES, -1).mean(axis=1, keepdims=True) > 0).astype("float32")
    loops = type(models[0]).fit, fit_fused
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(2 + EPOCHS):
        for train, model, taken in zip(loops, models, seconds, strict=True):
            begin = time.process_time()
            train(model, x, y, batch_size=BATCH_SIZE, verbose=0)
            taken.append(time.process_time() - begin)
    return seconds


def main(networks: list[str]) -> None:
    print(f"{keras.backend.backend():24}  fit, ms  fused, ms  ratio  first epochs, s")
    for network in networks or NETWORKS:
        by_fit, fused = epochs(network)
        one, other = (statistics.median(taken[2:]) * 1e3 for taken in (by_fit, fused))
        first = f"{by_fit[0]:.1f} and {fused[0]:.1f}"
        print(f"{network:24} {one:8.1f}  {other:9.1f}  {other / one:5.2f}  {first}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
