"""Every epoch that an arm's processes trained, in the order it came."""

from collections.abc import Sequence
from dataclasses import dataclass

from keras_bench.analyze.steady import steady_places
from keras_bench.records import Sample


@dataclass(frozen=True)
class TimedEpoch:
    """One epoch: of which process and which number, both from 1, and whether it counts."""

    process: int
    epoch: int
    epoch_seconds: float
    is_steady: bool


def timed_epochs(samples: Sequence[Sample]) -> tuple[TimedEpoch, ...]:
    """Return the epochs of all processes, those that aren't counted too."""
    return tuple(
        TimedEpoch(process, place + 1, seconds, place in counted)
        for process, sample in enumerate(samples, start=1)
        for counted in [set(steady_places(sample))]
        for place, seconds in enumerate(sample.epoch_seconds)
    )
