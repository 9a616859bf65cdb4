"""The images of handwritten digits (data/README.md), for the workloads that train on them."""

from pathlib import Path

import numpy as np


def load(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (1797, 8, 8) float32 in [0, 1] and labels (1797,) int32, shuffled by seed."""
    with np.load(Path(__file__).parent / "data" / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    order = np.random.default_rng(seed).permutation(len(images))
    return images[order].astype("float32") / 16, labels[order].astype("int32")
