"""From how many epochs on a backend that starts slowly and trains fast is the quicker one in all.

A training of n epochs takes, in seconds: importing framework and Keras, `build()`, the first epoch
and the warm-up as they were measured, and for every further epoch the process's steady one. What a
process does before it imports, and making the data, is much the same on all backends and isn't
counted.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from keras_bench.analyze.comparison import counting
from keras_bench.analyze.stats import Estimate, centre, difference, with_interval
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch_seconds, with_starts
from keras_bench.records import DEFAULT_LOOPS, Arm, ArmResult, Sample

#: Nobody trains for longer; a break-even that lies beyond is none.
MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class BreakEven:
    """Two arms of a workload, and from how many epochs on the one with the faster epoch wins.

    From `epochs` on its training takes less time, 1 where it does from the start. From `low` on the
    other is nowhere surely quicker, by the 95 % interval of the ratio of both times, and from
    `high` on the faster one surely is, for any longer training; `high` is None where that is
    undecided for long trainings, and both are where one process alone tells what starting takes.
    `training_seconds` is what so many epochs take.
    """

    faster: Arm
    slower: Arm
    epochs: int
    low: int | None
    high: int | None
    training_seconds: float


@dataclass(frozen=True)
class Training:
    """What trainings of one process take.

    `begun_seconds` is how long it takes until the first epoch and the warm-up are over, a value
    for each of them, and `epoch_seconds` what every further epoch takes.
    """

    begun_seconds: tuple[float, ...]
    epoch_seconds: float

    def seconds(self, epochs: int) -> float:
        """Return what a training of so many epochs takes, from importing to the end of the last."""
        begun = min(epochs, len(self.begun_seconds))
        return self.begun_seconds[begun - 1] + (epochs - begun) * self.epoch_seconds


def trainings(samples: Sequence[Sample]) -> tuple[Training, ...]:
    """Return the trainings of each process that tells what starting takes.

    Where it is a single one, its further epochs take what those of all processes do.
    """
    of_all, samples = centre(process_epoch_seconds(samples)).value, with_starts(samples)
    each_one = process_epoch_seconds(samples) if len(samples) > 1 else [of_all]
    return tuple(
        Training(
            tuple(
                sample.import_seconds + sample.build_seconds + uncounted
                for uncounted in accumulate(sample.epoch_seconds[:UNCOUNTED_EPOCHS])
            ),
            epoch_seconds,
        )
        for sample, epoch_seconds in zip(samples, each_one, strict=True)
    )


def break_evens(results: Sequence[ArmResult]) -> tuple[BreakEven, ...]:
    """Return what two arms that start and train in another order come to.

    Backends are compared by the default loop, and the other loops with it on the same backend.

    Args:
        results: arms of one workload, of which only those that count are compared.
    """
    by_speed = sorted(
        counting(results), key=lambda each: centre(process_epoch_seconds(each.samples)).value
    )
    found = (
        break_even(faster, slower)
        for place, faster in enumerate(by_speed)
        for slower in by_speed[place + 1 :]
        if _are_rivals(faster.arm, slower.arm)
    )
    return tuple(each for each in found if each is not None)


def _are_rivals(one: Arm, other: Arm) -> bool:
    default = DEFAULT_LOOPS[one.task]
    return one.loop == other.loop == default or (
        one.backend == other.backend and default in (one.loop, other.loop)
    )


def break_even(faster: ArmResult, slower: ArmResult) -> BreakEven | None:
    """Return where two arms break even.

    None where the first isn't quicker in the end, and where an arm has a single process: one
    outlier is no result.
    """
    if min(len(faster.samples), len(slower.samples)) < 2:
        return None
    fast, slow = trainings(faster.samples), trainings(slower.samples)
    endless = _ratio([each.epoch_seconds for each in fast], [each.epoch_seconds for each in slow])

    def at(epochs: int) -> Estimate:
        return _ratio(
            [each.seconds(epochs) for each in fast], [each.seconds(epochs) for each in slow]
        )

    def first(holds: Callable[[Estimate], bool]) -> int | None:
        return _first(lambda epochs: holds(at(epochs))) if holds(endless) else None

    epochs = first(lambda estimate: estimate.value < 1)
    if epochs is None:
        return None
    low = first(lambda estimate: estimate.low is not None and estimate.low <= 1)
    high = first(lambda estimate: estimate.is_below_one)
    return BreakEven(faster.arm, slower.arm, epochs, low, high, total_seconds(fast, epochs))


def _ratio(fast: Sequence[float], slow: Sequence[float]) -> Estimate:
    """Return the ratio of both times, without an interval where a start is known of one process."""
    found = difference(fast, slow)
    return Estimate(math.exp(found.log)) if math.isinf(found.error) else with_interval(found)


def totals_by_epochs(results: Sequence[ArmResult], most: int) -> tuple[tuple[Arm, int, float], ...]:
    """Return what trainings of 1 to `most` epochs take, evenly on a log scale: for a plot."""
    numbers = sorted({round(most ** (place / 40)) for place in range(41)})
    return tuple(
        (each.arm, number, total_seconds(known, number))
        for each in results
        if each.samples
        for known in [trainings(each.samples)]
        for number in numbers
    )


def total_seconds(known: Sequence[Training], epochs: int) -> float:
    """Return what a training of so many epochs takes, the centre over processes."""
    return centre([each.seconds(epochs) for each in known]).value


def _first(holds: Callable[[int], bool]) -> int | None:
    """Return the number of epochs from which on this holds, None where it is beyond any training.

    Past the uncounted epochs the steady one decides the more the further epochs there are, so that
    the ratio moves one way. Before, it goes up and down as a first epoch and a warm-up come.
    """
    if not holds(MOST_EPOCHS):
        return None
    first = bisect_left(range(MOST_EPOCHS), True, lo=UNCOUNTED_EPOCHS, key=holds)
    if first == UNCOUNTED_EPOCHS:
        while first > 1 and holds(first - 1):
            first -= 1
    return first
