"""The logarithms of a history's epochs, drawn: of one level or several, with outliers or none."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from history_builders import history_rows_of

from keras_bench.analyze.shifts import Series, find_series

FloatArray = npt.NDArray[np.float64]

NOISE = 0.02
STEP = math.log(1.05)


def steady(generator: np.random.Generator, runs: int, noise: float = NOISE) -> FloatArray:
    return generator.normal(0, noise, runs)


def stepped(
    generator: np.random.Generator, *levels: float, runs: int = 10, noise: float = NOISE
) -> FloatArray:
    return np.repeat(levels, runs) + steady(generator, runs * len(levels), noise)


def only_series(logs: Sequence[float], **changes: Any) -> Series:
    (series,) = find_series(history_rows_of(logs, **changes))
    return series
