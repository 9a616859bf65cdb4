"""Tells articles for something from articles against it, learned from 2000 labelled ones.

The notes' example of machine learning against traditional programming: `sentiment_by_rules.py`
does the same by rules written by hand, with the accuracy to beat. What the articles are made
of, and why rules of a few obvious words fall short, is in `articles.py`.

The optimizer is SGD, because TensorFlow's Adam treats repeated tokens in a way of its own.

It stresses an embedding, and a loop over time of 24 steps.
"""

import keras
import numpy as np
from articles import VOCABULARY, WORDS, write

TAGS = ("notes", "layers")
FIT = {"batch_size": 50, "epochs": 20, "shuffle": True}


def build() -> keras.Model:
    """Return the compiled network, with freshly initialised weights."""
    model = keras.Sequential(
        [
            keras.Input(shape=(WORDS,), dtype="int32"),
            keras.layers.Embedding(len(VOCABULARY), 16),
            keras.layers.GRU(32),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.5, momentum=0.9),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (2000, 24) int32, each word's number, and y (2000, 1) int32, 1 = for it."""
    articles, labels = write(seed)
    number = {word: index for index, word in enumerate(VOCABULARY)}
    x = np.array([[number[word] for word in article] for article in articles], "int32")
    return x, labels.reshape(-1, 1)
