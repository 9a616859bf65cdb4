"""How far a backend is from the reference, next to what rounding explains."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.places import Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.training import Reference, largest_number

Array = np.ndarray

#: Rounding explains this many times the largest distance among the replicas. They are few, and
#: a backend's errors needn't be independent: a sum of n products can be off by √n times the
#: probabilistic bound, and an exponential or a logarithm by a few units in the last place.
SAFETY = 8.0


@dataclass(frozen=True)
class Deviation:
    """The element of an array that is most off, or else nearest to it.

    `deviation` and `bound` are relative to the largest element of the reference's array (bare
    where that is zero throughout).
    """

    place: Place
    deviation: float
    bound: float

    @property
    def is_off(self) -> bool:
        """Whether rounding doesn't explain it."""
        return not self.deviation <= self.bound

    @property
    def in_words(self) -> str:
        """How far it is off, beside what rounding explains."""
        if math.isfinite(self.deviation):
            return f"off by {self.deviation:.1e}, rounding explains {self.bound:.1e}"
        return "a number on one side only" if self.bound else "of another shape"


def deviations(
    seen: Mapping[Place, Array], reference: Reference, dtype: str, tolerance: float = 0.0
) -> list[Deviation]:
    """Compare what a backend did with the reference, wherever both were seen.

    Args:
        seen: the backend's arrays.
        reference: the reference's, with the spread that rounding in `dtype` gives.
        dtype: "float32" or "float64".
        tolerance: a relative deviation that is let pass where the bound is smaller.
    """
    return [
        deviation_at(place, seen[place], reference, dtype, tolerance)
        for place in reference.spread
        if place in seen
    ]


def deviation_at(
    place: Place, value: Array, reference: Reference, dtype: str, tolerance: float = 0.0
) -> Deviation:
    """Compare one array.

    One of another shape is infinitely off, and so is an element that is a number on one side only;
    what is NaN on both sides, or infinite alike, agrees.
    """
    truth = np.asarray(reference.arrays[place], "float64")
    if np.shape(value) != truth.shape:
        return Deviation(place, np.inf, 0.0)
    if truth.size == 0:
        return Deviation(place, 0.0, 0.0)
    exists = np.isfinite(truth)
    same = ~exists & ((value == truth) | (np.isnan(value) & np.isnan(truth)))
    with np.errstate(invalid="ignore"):
        distance = np.abs(np.asarray(value, "float64") - truth)
    distance = np.where(np.isfinite(distance), distance, np.where(same, 0.0, np.inf))
    # At the least one rounding of the value itself; below the smallest normal number, frameworks
    # flush to zero.
    least = np.maximum(UNIT_ROUNDOFF[dtype] * np.abs(truth), np.finfo(dtype).tiny)
    scale = largest_number(truth) or 1.0
    limit = np.maximum(SAFETY * np.maximum(reference.spread[place], least), tolerance * scale)
    # Rounding makes no number of what is none on most backends.
    limit = np.where(exists, np.where(np.isnan(limit), np.inf, limit), np.finfo(dtype).tiny)
    off = ~(distance <= limit)
    # Of the elements that are off, the one that is so by the largest amount.
    rank = np.where(off, distance, 0.0) if off.any() else distance / limit
    worst = np.unravel_index(np.argmax(rank), distance.shape)
    return Deviation(place, float(distance[worst]) / scale, float(limit[worst]) / scale)
