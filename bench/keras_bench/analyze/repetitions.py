"""How many epochs a process is worth, from the measured variances and costs.

T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013,
doi:10.1145/2464157.2464160, section 6: with two levels, epochs within processes, the
repetition that costs least for a given precision is

    epochs = sqrt((process cost ÷ epoch cost) × (T1² ÷ T2²))

where T1² is the variance of epochs within a process and T2² that between processes, free of
the part that comes from epochs: T2² = S2² - T1² ÷ epochs (the unbiased estimator of the
authors' updated version).

The formula is made for independent epochs. A process that wanders between two speeds, as torch's
do for seconds at a time, has epochs that resemble their neighbours, and longer processes are worth
more than their epochs' own variance shows. So T1² comes from the means of a process's two
halves (batch means): a half's variance × its number of epochs.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median, variance

from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, steady
from keras_bench.records import Sample, Settings

#: The most: so many epochs, and this many times what came before them, which is where a badly
#: known T2² could lead otherwise.
MAX_STEADY_EPOCHS = 200
MAX_COST_RATIO = 2.0

#: The share of the timeout that a process is planned to take.
TIMEOUT_SHARE = 0.8

#: Processes before a variance between them means anything.
MIN_PROCESSES = 4


def process_cost_seconds(samples: Sequence[Sample]) -> float:
    """Return what a process costs before its first steady epoch."""
    return median(
        sample.process_seconds
        - sample.calls_per_block * sum(sample.epoch_seconds[UNCOUNTED_EPOCHS:])
        for sample in samples
    )


def epoch_cost_seconds(samples: Sequence[Sample]) -> float:
    """Return what a further epoch costs, or a further block of calls."""
    return median(
        sample.calls_per_block * median(steady(sample.epoch_seconds)) for sample in samples
    )


def steady_epochs(samples: Sequence[Sample], settings: Settings) -> int:
    """Return how many steady epochs the next process of this arm should run.

    The formula's number, at most as many as the bounds above allow, at least as many as the
    settings ask, and in any case within the timeout. While fewer than four processes have
    run, both variances count as equal.
    """
    process_cost, epoch_cost = process_cost_seconds(samples), epoch_cost_seconds(samples)
    cost_ratio = process_cost / epoch_cost
    wanted = math.sqrt(cost_ratio * _variance_ratio(samples))
    most = min(MAX_STEADY_EPOCHS, MAX_COST_RATIO * cost_ratio)
    least = max(settings.min_steady_epochs, settings.min_steady_seconds / epoch_cost)
    least = min(MAX_STEADY_EPOCHS, least)
    in_time = (TIMEOUT_SHARE * settings.timeout_seconds - process_cost) / epoch_cost
    return math.ceil(max(1, min(in_time, max(least, min(most, wanted)))))


def _variance_ratio(samples: Sequence[Sample]) -> float:
    """Return T1² ÷ T2² of the logarithms of steady epochs; infinite where T2² vanishes."""
    logs = [[math.log(seconds) for seconds in steady(s.epoch_seconds)] for s in samples]
    logs = [epochs for epochs in logs if len(epochs) > 1]
    if len(logs) < MIN_PROCESSES:
        return 1.0
    halves = [
        (fmean(epochs[: len(epochs) // 2]), fmean(epochs[len(epochs) // 2 :])) for epochs in logs
    ]
    half_variance = fmean((first - second) ** 2 / 2 for first, second in halves)
    within = half_variance * fmean(len(epochs) / 2 for epochs in logs)
    between = variance(map(fmean, halves)) - half_variance / 2
    return within / between if between > 0 else math.inf
