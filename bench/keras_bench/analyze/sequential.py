"""Two arms compared at a few looks, with intervals that hold at all of them together.

Who looks after every round and stops when an interval excludes what it doubts has many chances
to be misled. So there is a fixed number of looks, each after half as many rounds again as the
one before, and each has an equal share of the error probability: by the union bound, the chance
that any of the intervals misses the true ratio is at most 5 %, whatever rule ends the looking.
They are repeated confidence intervals (C. Jennison and B. W. Turnbull, Interim analyses: the
repeated confidence interval approach, Journal of the Royal Statistical Society B 51, 1989,
305-361), each a paired Student's t, which knows that the variance is estimated, and from few.

A few looks at growing distances cost a gate little time, and the error probability is not spent
on a look after every round. The union bound is exact in what it promises, needs nothing known of
the looks' dependence, and has no constant to tune.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import scipy

from keras_bench.analyze.stats import CONFIDENCE_LEVEL, Estimate

#: After how many rounds the looks are. Where processes come in two speeds, all of fewer than six
#: have the same one by chance too often, and seem to agree; more than twenty-eight are worth their
#: time for hardly anyone.
LOOKS = (6, 9, 13, 19, 28)


def repeated_interval(log_ratios: Sequence[float]) -> Estimate:
    """Return the ratio with a 95 % interval that holds at this look and all others together.

    Args:
        log_ratios: one per round, log(candidate seconds ÷ baseline seconds), as many as there
            are at one of the looks.
    """
    rounds = len(log_ratios)
    mean = float(np.mean(log_ratios))
    error = float(np.std(log_ratios, ddof=1)) / math.sqrt(rounds)
    margin = _t(rounds - 1) * error
    return Estimate(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))


@cache
def _t(degrees_of_freedom: int) -> float:
    """Return the quantile of Student's t that a look's share of the error leaves on each side."""
    each_side = (1 - CONFIDENCE_LEVEL) / 2 / len(LOOKS)
    return float(scipy.stats.t.isf(each_side, degrees_of_freedom))
