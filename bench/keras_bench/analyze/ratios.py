"""The ratio of two arms, by rounds where their processes were measured together."""

from collections.abc import Sequence
from dataclasses import dataclass

from keras_bench.analyze.stats import Estimate, mean_ratio, ratio
from keras_bench.analyze.steady import process_epoch
from keras_bench.records import Sample


@dataclass(frozen=True)
class ProcessTimes:
    """What an epoch of each process of an arm took, and in which round it was measured.

    `rounds` is None where the processes of a round came one after the other, and share nothing.
    """

    seconds: tuple[float, ...]
    rounds: tuple[int, ...] | None = None


def process_times(samples: Sequence[Sample]) -> ProcessTimes:
    """Return the times of an arm's processes."""
    in_slices = all(sample.method == "slices" for sample in samples)
    return ProcessTimes(
        tuple(process_epoch(sample) for sample in samples),
        tuple(sample.round for sample in samples) if in_slices else None,
    )


def ratio_of(candidate: ProcessTimes, baseline: ProcessTimes) -> Estimate | None:
    """Return candidate time ÷ baseline time with its interval; None without two processes of each.

    Of rounds that both were measured in together, each gives a ratio, in which the machine's
    weather has cancelled.
    """
    if candidate.rounds is None or baseline.rounds is None:
        return ratio(candidate.seconds, baseline.seconds)
    before = dict(zip(baseline.rounds, baseline.seconds, strict=True))
    of_rounds = zip(candidate.rounds, candidate.seconds, strict=True)
    paired = [seconds / before[number] for number, seconds in of_rounds if number in before]
    return mean_ratio(paired) or ratio(candidate.seconds, baseline.seconds)
