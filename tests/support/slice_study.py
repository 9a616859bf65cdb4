"""What slices of several lengths have shown: records of single comparisons, and their summary."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True)
class Comparison:
    """A stretch in which two processes of one arm trained in slices of one length.

    `slice_ms` is None where slices ended with epochs. In a `repetition` of a pair of processes each
    length has one comparison. `wall_ratio` and `cpu_ratio` are second ÷ first by each clock, and
    `epoch_seconds` is the geometric mean of both by wall time.
    """

    backend: str
    loop: str
    threads: str
    disturbed: bool
    cpu: str
    pair: int
    repetition: int
    slice_ms: float | None
    wall_ratio: float
    cpu_ratio: float
    epoch_seconds: float

    @property
    def setting(self) -> tuple[str, str, str, bool]:
        """What is studied at once: backend, loop, threads, and whether disturbed."""
        return (self.backend, self.loop, self.threads, self.disturbed)


@dataclass(frozen=True)
class LengthFigures:
    """What the comparisons of one length come to, as shares of 1.

    `wall_error` and `cpu_error` are the standard deviations of a comparison around the mean of its
    pair of processes: how far one is off. `lean` is the mean ratio over all pairs. `sliced_to_free`
    is an epoch ÷ one of whole epochs in the same repetition, and `sliced_to_free_error` its
    standard error.
    """

    slice_ms: float | None
    wall_error: float
    cpu_error: float
    lean: float
    sliced_to_free: float
    sliced_to_free_error: float
    comparisons: int


def figures_by_length(comparisons: Sequence[Comparison]) -> list[LengthFigures]:
    """Return what each length of one setting comes to, the shortest first."""
    lengths = {each.slice_ms for each in comparisons}
    free = {(each.pair, each.repetition): each for each in comparisons if each.slice_ms is None}
    found = []
    for slice_ms in sorted(lengths, key=lambda length: length or math.inf):
        own = [each for each in comparisons if each.slice_ms == slice_ms]
        longer = [
            math.log(each.epoch_seconds / free[each.pair, each.repetition].epoch_seconds)
            for each in own
            if (each.pair, each.repetition) in free
        ]
        found.append(
            LengthFigures(
                slice_ms,
                _within_pairs((each.pair, math.log(each.wall_ratio)) for each in own),
                _within_pairs((each.pair, math.log(each.cpu_ratio)) for each in own),
                math.exp(fmean(math.log(each.wall_ratio) for each in own)),
                math.exp(fmean(longer)) if longer else math.nan,
                stdev(longer) / math.sqrt(len(longer)) if len(longer) > 1 else math.nan,
                len(own),
            )
        )
    return found


def _within_pairs(logs: Iterable[tuple[int, float]]) -> float:
    """Return the standard deviation around the mean of each pair."""
    of_pairs: dict[int, list[float]] = {}
    for pair, log in logs:
        of_pairs.setdefault(pair, []).append(log)
    squares = sum((log - fmean(known)) ** 2 for known in of_pairs.values() for log in known)
    freedom = sum(len(known) - 1 for known in of_pairs.values())
    return math.sqrt(squares / freedom) if freedom else math.nan
