"""How many epochs a process is worth, from the measured variances and costs.

T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013,
doi:10.1145/2464157.2464160, section 6: with two levels, epochs within processes, the
repetition that costs least for a given precision is

    epochs = sqrt((process cost ÷ epoch cost) × (T1² ÷ T2²))

where T1² is the variance of epochs within a process and T2² that between processes, free of
the part that comes from epochs: T2² = S2² - S1² ÷ epochs (the unbiased estimator of the
authors' updated version).
"""

import math
from collections.abc import Sequence
from statistics import fmean, median, variance

from bench.analyze.steady import UNCOUNTED_EPOCHS, steady
from bench.records import Sample

MIN_STEADY_EPOCHS = 5
MAX_STEADY_EPOCHS = 100


def process_cost_seconds(samples: Sequence[Sample]) -> float:
    """Return what a process costs before its first steady epoch."""
    return median(
        sample.process_seconds - sum(sample.epoch_seconds[UNCOUNTED_EPOCHS:]) for sample in samples
    )


def epoch_cost_seconds(samples: Sequence[Sample]) -> float:
    """Return what a further epoch costs."""
    return median(median(steady(sample.epoch_seconds)) for sample in samples)


def steady_epochs(samples: Sequence[Sample]) -> int:
    """Return how many steady epochs the next process of this arm should run.

    At least 5, so that a median can shrug off two stalled ones; at most 100, and never for
    longer than the process took to start, which is where a badly known T2² could lead.
    While fewer than two processes have run, both variances count as equal.
    """
    process_cost, epoch_cost = process_cost_seconds(samples), epoch_cost_seconds(samples)
    cost_ratio = max(process_cost, epoch_cost) / epoch_cost
    wanted = math.sqrt(cost_ratio * _variance_ratio(samples))
    most = max(MIN_STEADY_EPOCHS, min(MAX_STEADY_EPOCHS, math.floor(cost_ratio)))
    return max(MIN_STEADY_EPOCHS, min(most, math.ceil(min(wanted, most))))


def _variance_ratio(samples: Sequence[Sample]) -> float:
    """Return T1² ÷ T2² of the logarithms of steady epochs; infinite where T2² vanishes."""
    logs = [[math.log(seconds) for seconds in steady(s.epoch_seconds)] for s in samples]
    logs = [epochs for epochs in logs if len(epochs) > 1]
    if len(logs) < 2:
        return 1.0
    within = fmean(variance(epochs) for epochs in logs)
    epochs_per_process = len(logs) / sum(1 / len(epochs) for epochs in logs)
    between = variance(fmean(epochs) for epochs in logs) - within / epochs_per_process
    return within / between if between > 0 else math.inf
