"""Centres, intervals and ratios of times. The unit of evidence is a process, not an epoch.

Times are positive and their noise is in proportion to them, so everything is worked out on
logarithms. A machine that is busy elsewhere slows a few epochs, or a few processes, without
limit; so a fifth of the values is trimmed at each end: none of fewer than 5, one of 5 to 9,
two of 10 to 14, and so on.

`import scipy`, here and elsewhere, is for the sake of commands that measure first: SciPy loads a
submodule where it is first used, and scipy.stats takes a second.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

CONFIDENCE_LEVEL = 0.95

#: The share of the values that is trimmed at each end (R. R. Wilcox, Introduction to Robust
#: Estimation and Hypothesis Testing, recommends 0.2 for general use).
TRIM = 0.2


@dataclass(frozen=True)
class Estimate:
    """A centre and its 95 % interval; `low` and `high` are None where one process stands alone.

    A ratio of processes always has both: without two of each there is none.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_above_one(self) -> bool:
        """Whether a ratio surely lies above 1: its whole interval does."""
        return self.low is not None and self.low > 1

    @property
    def is_below_one(self) -> bool:
        """Whether a ratio surely lies below 1: its whole interval does."""
        return self.high is not None and self.high < 1

    @property
    def half_width(self) -> float:
        """Half the interval's width relative to the value; infinite without an interval."""
        if self.low is None or self.high is None:
            return math.inf
        return (self.high - self.low) / 2 / self.value


def centre(seconds: Sequence[float]) -> Estimate:
    """Return the exponential of the trimmed mean of the logarithms, with its interval.

    For values that stand for themselves the interval means something: processes, that is; of
    the epochs of one process only the centre does.

    The interval is Tukey's and McLaughlin's: Student's t with as many degrees of freedom as
    values are left, less one, and the standard error from the winsorized variance
    (J. W. Tukey and D. H. McLaughlin, Sankhya A 25, 1963, 331-352).

    Args:
        seconds: one value per process, all above 0.
    """
    logs = np.sort(np.log(seconds))
    mean = float(scipy.stats.trim_mean(logs, TRIM))
    count = len(logs)
    if count < 2:
        return Estimate(math.exp(mean))
    cut = int(TRIM * count)
    kept = count - 2 * cut
    winsorized = np.clip(logs, logs[cut], logs[count - cut - 1])
    error = math.sqrt((count - 1) * winsorized.var(ddof=1) / (kept * (kept - 1)))
    margin = float(scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, freedom(count))) * error
    return Estimate(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))


def freedom(count: int) -> int:
    """Return the degrees of freedom of an interval around the centre of so many values."""
    return count - 2 * int(TRIM * count) - 1


def mean_ratio(ratios: Sequence[float]) -> Estimate | None:
    """Return the geometric mean of ratios, one of each round, with its interval.

    The interval is Student's t on logarithms. Nothing is trimmed: what stalls both sides of a round
    is in neither ratio, and of few rounds each counts. Of less than two rounds there is none.
    """
    if len(ratios) < 2:
        return None
    logs = np.log(ratios)
    mean = float(np.mean(logs))
    error = float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    margin = float(scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, len(logs) - 1)) * error
    return Estimate(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))


@dataclass(frozen=True)
class Difference:
    """Two trimmed means of logarithms, subtracted: with a standard error, and its freedom."""

    log: float
    error: float
    freedom: float


def ratio(candidate_seconds: Sequence[float], baseline_seconds: Sequence[float]) -> Estimate | None:
    """Return candidate time ÷ baseline time with its interval, by Yuen's test on logarithms.

    Processes are not paired by round: rounds keep a drift from falling on one arm alone, and
    what is left of it widens the interval. None where a side is a single process: one outlier is
    no result.

    Args:
        candidate_seconds: one value per process of the candidate, all above 0.
        baseline_seconds: the same of the baseline.
    """
    found = difference(candidate_seconds, baseline_seconds)
    return None if math.isinf(found.error) else with_interval(found)


def with_interval(found: Difference) -> Estimate:
    """Return the ratio behind a difference of logarithms, whose error is finite."""
    margin = float(scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, found.freedom)) * found.error
    return Estimate(math.exp(found.log), math.exp(found.log - margin), math.exp(found.log + margin))


def difference(candidate_seconds: Sequence[float], baseline_seconds: Sequence[float]) -> Difference:
    """Return log(candidate time ÷ baseline time) with its standard error, by Yuen's test.

    Welch's t with trimmed means and winsorized variances (K. K. Yuen, Biometrika 61, 1974,
    165-170). The error is infinite where a side is a single process.
    """
    candidate, baseline = np.log(candidate_seconds), np.log(baseline_seconds)
    log = float(scipy.stats.trim_mean(candidate, TRIM) - scipy.stats.trim_mean(baseline, TRIM))
    if min(len(candidate), len(baseline)) < 2:
        return Difference(log, math.inf, 1.0)
    with warnings.catch_warnings():
        # SciPy warns of equal values; the error below says as much itself.
        warnings.simplefilter("ignore", RuntimeWarning)
        test = scipy.stats.ttest_ind(candidate, baseline, equal_var=False, trim=TRIM)
        low, high = test.confidence_interval(CONFIDENCE_LEVEL)
    if math.isnan(low):  # no variance at all
        return Difference(log, 0.0, math.inf)
    freedom = float(test.df)
    error = float(high - low) / 2 / float(scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, freedom))
    return Difference(log, error, freedom)
