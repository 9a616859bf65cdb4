"""From how many epochs on a backend that starts slowly and trains fast is the quicker one in all.

A training of n epochs takes, in seconds: importing framework and Keras, `build()`, the first epoch
and the warm-up as they were measured, and for every further epoch the process's steady one. What a
process does before it imports, and making the data, is much the same on all backends and isn't
counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bench.analyze.stats import Estimate, centre, ratio
from bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch_seconds
from bench.records import Arm, ArmResult, Sample

#: Nobody trains for longer; a break-even that lies beyond is none.
MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class BreakEven:
    """Two arms of a workload, and from how many epochs on the one with the faster epoch wins.

    `epochs` is the least number at which its training takes less time, 1 where it does from the
    start. Below `low` the other is surely quicker, by the 95 % interval of the ratio of both times,
    and from `high` on the faster one surely is; `high` is None where it never surely is, and both
    are where there is a single process. `training_seconds` is what so many epochs take.
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
    """Return the trainings of each process."""
    return tuple(
        Training(
            tuple(
                sample.import_seconds + sample.build_seconds + uncounted
                for uncounted in accumulate(sample.epoch_seconds[:UNCOUNTED_EPOCHS])
            ),
            epoch_seconds,
        )
        for sample, epoch_seconds in zip(samples, process_epoch_seconds(samples), strict=True)
    )


def break_evens(results: Sequence[ArmResult]) -> tuple[BreakEven, ...]:
    """Return what every two arms that start and train in another order come to.

    Args:
        results: arms of one workload; those without a sample, or that failed or learn something
            else, are left out.
    """
    counting = [
        each
        for each in results
        if each.samples and each.failure is None and each.parity.outcome != "differs"
    ]
    by_speed = sorted(counting, key=lambda each: centre(process_epoch_seconds(each.samples)).value)
    found = (
        break_even(faster, slower)
        for place, faster in enumerate(by_speed)
        for slower in by_speed[place + 1 :]
    )
    return tuple(each for each in found if each is not None)


def break_even(faster: ArmResult, slower: ArmResult) -> BreakEven | None:
    """Return where two arms break even; None where the first isn't quicker at any number."""
    fast, slow = trainings(faster.samples), trainings(slower.samples)

    def at(epochs: int) -> Estimate:
        return ratio(
            [each.seconds(epochs) for each in fast], [each.seconds(epochs) for each in slow]
        )

    epochs = _first(lambda number: at(number).value < 1)
    if epochs is None:
        return None
    low = high = None
    if at(1).low is not None:
        low = _first(lambda number: _not_above(at(number).low))
        high = _first(lambda number: _below(at(number).high))
    return BreakEven(faster.arm, slower.arm, epochs, low, high, total_seconds(fast, epochs))


def sentence(found: BreakEven) -> str:
    """Say from how many epochs on the arm with the faster epoch is quicker in all."""
    who = f"{found.faster.backend} takes less time than {found.slower.backend} in all"
    if found.high == 1:
        return f"{who}, however short the training."
    said = f"{who} from {_epochs(found.epochs)} on"
    if found.low is None:
        return f"{said}, by one process, which gives no interval."
    if found.high is None:
        return f"{said}, but surely at no number: their epochs are too much alike."
    return f"{said} ({found.low:,} to {found.high:,})."


def _epochs(number: int) -> str:
    return "the first epoch" if number == 1 else f"{number:,} epochs"


def series(results: Sequence[ArmResult], most: int) -> tuple[tuple[Arm, int, float], ...]:
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
    """Return the least number of epochs at which this holds, and from which on it does.

    The further epochs there are, the more the steady epoch decides: the ratio moves one way.
    """
    high = 1
    while not holds(high):
        high *= 2
        if high > MOST_EPOCHS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _below(end: float | None) -> bool:
    return end is not None and end < 1


def _not_above(end: float | None) -> bool:
    return end is not None and end <= 1
