"""The notes' second network: 1 input, hidden layers of 16 and 32 relu neurons, 2 softmax outputs.

Data: the notes' drug trial, made from a seed: 2100 people aged 13 to 100, half of them
under 65. 95 % of those of 65 and older had side effects, 95 % of the younger had none.

It stresses the overhead of a step, the optimizer's included.
"""

import keras
import numpy as np

TAGS = ("notes",)
FIT = {"batch_size": 10, "epochs": 20, "shuffle": True}

MIN_AGE, ELDERLY_AGE, MAX_AGE = 13, 65, 100
PEOPLE = 2100


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(1,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.0001),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (2100, 1) float32, age scaled to [0, 1], and y (2100,) int32, 1 = side effects."""
    rng = np.random.default_rng(seed)
    half = PEOPLE // 2
    ages = np.concatenate(
        [
            rng.integers(MIN_AGE, ELDERLY_AGE, size=half),
            rng.integers(ELDERLY_AGE, MAX_AGE, size=half, endpoint=True),
        ]
    )
    side_effects = ages >= ELDERLY_AGE
    # 5 % of each half go against the rule of their half: exactly, so that no seed is luckier.
    exceptions = half * 5 // 100
    for start in (0, half):
        side_effects[start + rng.choice(half, size=exceptions, replace=False)] ^= True
    order = rng.permutation(PEOPLE)
    x = (ages[order] - MIN_AGE) / (MAX_AGE - MIN_AGE)
    return x.astype("float32").reshape(-1, 1), side_effects[order].astype("int32")
