"""The known reasons for which a backend's result isn't the textbook's.

Each is the reference's arithmetic with one departure. It counts as a backend's reason only if
the reference with it gives what the backend gave.
"""

from collections.abc import Iterable

import numpy as np

from keras_bench.parity.arithmetic import Array, RandomRounding
from keras_bench.parity.precisions import UNIT_ROUNDOFF

SINGLE = UNIT_ROUNDOFF["float32"]

#: Keras's `backend.epsilon()`.
CLIP = 1e-7


class SinglePrecision(RandomRounding):
    """A part in float32: in a training that is in float32 itself, no departure at all."""


class SinglePrecisionProducts(SinglePrecision):
    """Matrix products in float32."""

    def dot(self, left: Array, right: Array) -> Array:
        exact: Array = (left.astype("float32") @ right.astype("float32")).astype("float64")
        if not self.unit_roundoff:
            return exact
        size = np.abs(left) @ np.abs(right) * left.shape[-1] ** 0.5
        # The order of the sum isn't known.
        return np.asarray(exact + size * self.errors(exact.shape) * (SINGLE / self.unit_roundoff))


class SinglePrecisionMeans(SinglePrecision):
    """The sum of the losses divided by their number in float32."""

    def quotient(self, total: Array, count: int) -> Array:
        return self.rounded((total.astype("float32") / np.float32(count)).astype("float64"))

    def share(self, count: int) -> float:
        return float(np.float32(1.0) / np.float32(count))


class SinglePrecisionConstants(SinglePrecision):
    """Constants of the optimizer that went through float32."""

    def constant(self, value: float) -> Array:
        return super().constant(float(np.float32(value)))


class SinglePrecisionCasts(SinglePrecision):
    """Numbers that are cast to float64 by way of float32."""

    def cast(self, value: float) -> float | Array:
        return super().cast(float(np.float32(value)))


class EpsilonInsideRoot(RandomRounding):
    """Adam's denominator √(v + ε)."""

    def adam_denominator(self, velocity: Array, epsilon: float) -> Array:
        return self.rounded(np.sqrt(self.rounded(velocity + self.constant(epsilon))))


class ClippedProbability(RandomRounding):
    """Probabilities kept within [1e-7, 1 - 1e-7] before the logarithm."""

    def probability(self, value: Array) -> tuple[Array, Array | float]:
        inside = (value >= CLIP) & (value <= 1.0 - CLIP)
        return np.clip(value, CLIP, 1.0 - CLIP), inside.astype("float64")


#: By the words that say them.
DEPARTURES: dict[str, type[RandomRounding]] = {
    "the optimizer's numbers are cast to float64 by way of float32": SinglePrecisionCasts,
    "all of the optimizer's constants are rounded to float32": SinglePrecisionConstants,
    "Adam's epsilon stands inside the root": EpsilonInsideRoot,
    "probabilities are clipped to [1e-7, 1 - 1e-7] before the logarithm": ClippedProbability,
    "the mean of the losses is divided in float32": SinglePrecisionMeans,
    "its matrix products are computed in float32": SinglePrecisionProducts,
}


def departures_in(dtype: str) -> dict[str, type[RandomRounding]]:
    """Return those that can make a difference in a training of this precision."""
    return {
        reason: arithmetic
        for reason, arithmetic in DEPARTURES.items()
        if dtype != "float32" or not issubclass(arithmetic, SinglePrecision)
    }


def together(reasons: Iterable[str]) -> type[RandomRounding]:
    """Return the arithmetic that departs in all of these respects."""
    return type("Together", tuple(DEPARTURES[reason] for reason in reasons), {})
