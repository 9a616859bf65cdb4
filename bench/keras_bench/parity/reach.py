"""How far a loop can be compared with `fit`: as long as rounding explains little.

A training may be chaotic: a normalization over few examples, say, makes a hundred times as much of
a rounding with every step. Soon any fault is smaller than what rounding explains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.deviations import SAFETY
from keras_bench.parity.places import EPOCH_METRIC, SPREAD, THE_LOSS, Place
from keras_bench.parity.training import Reference, largest_number

Array = np.ndarray

#: Rounding that explains this share of the loss, or of the size of most weights, hides a fault.
COARSE = 1e-2


@dataclass(frozen=True)
class Reach:
    """How many epochs of a training can be compared, or else how many steps by themselves.

    Those are the `epochs` of `all_epochs` before rounding has grown coarse, and such `steps` of
    `all_steps` as it leaves comparable. No step is taken by itself where an epoch is comparable.
    """

    epochs: int
    all_epochs: int
    steps: int = 0
    all_steps: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether not even a step can be compared."""
        return not (self.epochs or self.steps)

    @property
    def in_words(self) -> str:
        """What is compared, where that is a part of the training; else nothing."""
        if self.epochs == self.all_epochs or self.is_nothing:
            return ""
        if self.epochs:
            return (
                f"compared over {_first(self.epochs, 'epoch')} of {self.all_epochs}:"
                " beyond, rounding has grown to a hundredth"
            )
        steps = _first(self.all_steps, "step")
        if self.steps < self.all_steps:
            steps = f"{self.steps} of {steps}"
        return (
            f"compared over {steps}, each from the state that fit comes to:"
            " beyond one step, rounding grows to a hundredth"
        )


def read_reference(arrays: Mapping[str, Array]) -> Reference:
    """Return what `fit` gave, from the arrays that a worker has written, by their keys."""
    spread = {
        Place.from_key(key.removeprefix(SPREAD)): array
        for key, array in arrays.items()
        if key.startswith(SPREAD)
    }
    return Reference({place: arrays[place.key] for place in spread}, spread)


def reach_of(by_fit: Reference) -> Reach:
    """Return how far `fit` can be compared with, from how far rounding moves what it gives."""
    points = sorted({(place.epoch, place.step) for place in by_fit.spread})
    fine = {point: not _is_coarse(by_fit, *point) for point in points}
    epochs = [fine[point] for point in points if point[1] == 0]
    steps = [fine[point] for point in points if point[1] > 0]
    return Reach([*epochs, False].index(False), len(epochs), sum(steps), len(steps))


def _is_coarse(by_fit: Reference, epoch: int, step: int) -> bool:
    """Tell whether rounding explains too much at the end of an epoch, or after a step."""
    here = [place for place in by_fit.spread if (place.epoch, place.step) == (epoch, step)]
    # A loss that comes to zero isn't measured by that.
    largest = max(
        (largest_number(by_fit.arrays[place]) for place in by_fit.spread if _is_loss(place)),
        default=0.0,
    )
    if any(_share(by_fit, place, largest) >= COARSE for place in here if _is_loss(place)):
        return True
    # Of most numbers: a bias before a normalization is nothing but rounding in every training.
    weights = [place for place in here if _is_weight(place, by_fit.arrays[place])]
    coarse = [
        place
        for place in weights
        if _share(by_fit, place, largest_number(by_fit.arrays[place])) >= COARSE
    ]
    return 2 * _numbers(by_fit, coarse) > _numbers(by_fit, weights)


def _is_loss(place: Place) -> bool:
    return place.stage == EPOCH_METRIC and place.subject == THE_LOSS


def _is_weight(place: Place, array: Array) -> bool:
    return (
        place.stage != EPOCH_METRIC
        and not place.subject.startswith("optimizer/")
        and array.dtype.kind == "f"
    )


def _numbers(by_fit: Reference, places: list[Place]) -> int:
    return sum(by_fit.arrays[place].size for place in places)


def _share(by_fit: Reference, place: Place, size: float) -> float:
    """Return what rounding explains at a place, as a share of a size."""
    explained = SAFETY * float(by_fit.spread[place])
    if size == 0.0:
        return math.inf if explained else 0.0
    return explained / size


def _first(count: int, what: str) -> str:
    return f"the first {what}" if count == 1 else f"the first {count} {what}s"
