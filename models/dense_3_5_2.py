"""The notes' first network: 3 inputs, a hidden layer of 5 relu neurons, 2 softmax outputs.

Data: Haberman's Survival (data/README.md), 306 patients, 3 standardised features,
label 1 = died within 5 years.

It stresses the overhead of a step, with next to no arithmetic in it.
"""

from pathlib import Path

import keras
import numpy as np

TAGS = ("notes",)
FIT = {"batch_size": 10, "epochs": 20, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        # The notes give a range for the learning rate, 0.0001 to 0.1.
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (306, 3) float32 and y (306,) int32; the seed shuffles the patients."""
    path = Path(__file__).parent / "data" / "haberman.csv"
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    table = np.random.default_rng(seed).permutation(table)
    features = table[:, :3]
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    return x.astype("float32"), table[:, 3].astype("int32")
