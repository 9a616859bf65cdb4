"""How the textbook's formulas are carried out: exactly, or with rounding errors at random."""

from collections.abc import Sequence

import numpy as np

Array = np.ndarray


class Arithmetic:
    """Float64, as NumPy has it."""

    unit_roundoff = 0.0

    def constant(self, value: float) -> float | Array:
        """Return a number of the formulas, such as a learning rate."""
        return value

    def cast(self, value: float) -> float | Array:
        """Return a number that Keras casts to the precision of the weights before it is used.

        Those are Adam's betas in the bias correction, and SGD's momentum.
        """
        return self.constant(value)

    def rounded(self, value: Array) -> Array:
        """Return the result of an operation by elements."""
        return value

    def dot(self, left: Array, right: Array) -> Array:
        """Return the matrix product."""
        return np.asarray(left @ right)

    def total(self, values: Array, axis: int | tuple[int, ...]) -> Array:
        """Return the sum along an axis, which is kept with the length 1."""
        return np.asarray(values.sum(axis=axis, keepdims=True))

    def quotient(self, total: Array, count: int) -> Array:
        """Return a sum divided by the number of its terms, as a mean is."""
        return self.rounded(total / count)

    def share(self, count: int) -> float | Array:
        """Return the derivative of a quotient by its sum."""
        return 1.0 / count

    def probability(self, value: Array) -> tuple[Array, Array | float]:
        """Return a probability before its logarithm, and the derivative of that step."""
        return value, 1.0

    def adam_denominator(self, velocity: Array, epsilon: float) -> Array:
        """Return what Adam's momentum is divided by."""
        return self.rounded(self.rounded(np.sqrt(velocity)) + self.constant(epsilon))


class RandomRounding(Arithmetic):
    """Monte Carlo arithmetic: every result is off by a random relative error.

    Each array has a leading axis of independent replicas. An operation by elements errs by up
    to the unit roundoff u, a sum of n products by up to √n·u·Σ|products|: the probabilistic
    bound of N. Higham and T. Mary (A New Approach to Probabilistic Rounding Error Analysis,
    SIAM J. Sci. Comput. 41(5), 2019). The method is D. Parker's (Monte Carlo Arithmetic, UCLA
    CSD-970002, 1997). With a unit roundoff of 0 it is exact.
    """

    def __init__(self, unit_roundoff: float, replicas: int, seed: int = 0) -> None:
        self.unit_roundoff = unit_roundoff
        self._replicas = replicas
        self._random = np.random.default_rng(seed)
        self._constants: dict[float, Array] = {}

    def constant(self, value: float) -> Array:
        # The same wrong digits every time it is used, as a stored constant has them.
        if value not in self._constants:
            self._constants[value] = value * (1.0 + self.errors((self._replicas, 1, 1)))
        return self._constants[value]

    def rounded(self, value: Array) -> Array:
        if value.ndim < 3:
            value = np.broadcast_to(value, (self._replicas, *np.atleast_2d(value).shape))
        return np.asarray(value * (1.0 + self.errors(value.shape)))

    def dot(self, left: Array, right: Array) -> Array:
        size = np.abs(left) @ np.abs(right) * left.shape[-1] ** 0.5
        return np.asarray(left @ right + size * self.errors(size.shape))

    def total(self, values: Array, axis: int | tuple[int, ...]) -> Array:
        exact = values.sum(axis=axis, keepdims=True)
        size = np.abs(values).sum(axis=axis, keepdims=True) * (values.size / exact.size) ** 0.5
        return np.asarray(exact + size * self.errors(exact.shape))

    def probability(self, value: Array) -> tuple[Array, Array | float]:
        # No rounding makes a probability larger than 1.
        return np.clip(value, 0.0, 1.0), 1.0

    def errors(self, shape: Sequence[int]) -> Array:
        """Return random relative errors of one operation."""
        return self._random.uniform(-self.unit_roundoff, self.unit_roundoff, tuple(shape))
