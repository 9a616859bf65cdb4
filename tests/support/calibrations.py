"""Calibrations of drawn rounds, and what is found in them."""

import math
from typing import Any

import numpy as np
from builders import calibration, calibration_round

from keras_bench.analyze.calibration import Capability, capability
from keras_bench.records import CalibrationRound

SLOWDOWNS = (0.0, 0.025, 0.05, 0.1)


def found_in(rounds: list[CalibrationRound], threshold: float = 0.05, **changes: Any) -> Capability:
    return capability(calibration(*rounds, **changes), threshold)


def normal(
    deviation: float, rounds: int, seed: int = 0, slowdowns: tuple[float, ...] = SLOWDOWNS
) -> list[CalibrationRound]:
    """Return so many rounds of each slowdown, with normal noise."""
    generator = np.random.default_rng(seed)
    return [
        calibration_round(math.log1p(slowdown) + generator.normal(0, deviation), slowdown)
        for _ in range(rounds)
        for slowdown in slowdowns
    ]
