"""What a number of draws can say against a promised rate.

A promise is refuted by a count that it would hardly ever come to, and by no other. So a bound
follows from the promise and the number of draws: the more draws, the less beyond the promised
rate it allows. No draw fails for its small number, and no constant is to be loosened by hand.
"""

from scipy.stats import binom

#: How often a promise that is just kept would be called broken, were the seeds not fixed.
CHANCE = 1e-4


def at_most(count: int, draws: int, rate: float) -> bool:
    """Whether so many of these draws are possible where the true rate is `rate` or less."""
    return bool(count <= binom.ppf(1 - CHANCE, draws, rate))


def at_least(count: int, draws: int, rate: float) -> bool:
    """Whether so many of these draws are possible where the true rate is `rate` or more."""
    return bool(count >= binom.ppf(CHANCE, draws, rate))


def between(count: int, draws: int, low: float, high: float) -> bool:
    """Whether so many of these draws are possible where the true rate is from `low` to `high`."""
    return at_least(count, draws, low) and at_most(count, draws, high)
