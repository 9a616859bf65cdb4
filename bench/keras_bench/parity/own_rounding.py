"""How much one backend's own arithmetic rounds, where it is off by more than rounding in general.

A reference knows how far rounding moves a stage in general, from numbers that are rounded at
random before it. That doesn't show what happens inside of a long sum, which one backend adds up
term by term and another one in blocks. Two things show it:

- The order of the examples in a batch. No meaning changes with it, but the order of every sum over
  the batch does, in the backend's own kernels.
- The backend's own result in float64. A difference of meaning doesn't vanish there.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.deviations import SAFETY, Deviation
from keras_bench.parity.places import (
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    SPREAD,
    STEP,
    THE_LOSS,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
    call_of,
)
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.training import (
    Reference,
    is_of_training,
    largest_number,
    scaled_alike,
    scales,
)

Array = np.ndarray

#: Rounding explains four times the largest distance among the orders of a batch. Of 30 gradients
#: on three backends one was off by 3.4 times that distance, and most by less than it.
ORDER_FACTOR = 4.0 / SAFETY

#: An output that moves by more than this share of its size with the order of the batch depends on
#: the examples' places in it, and not on rounding.
MOST_MOVED = 1e-2

#: What a backend's float64 may be off by so that it confirms its float32: two roundings of that.
#: Some backends compute a part of it in float32.
CONFIRMED = 2.0


#: An output that is off by this share of its size has leapt: no rounding by itself is so large.
LEAP = 1e-3

#: How much of its size what an optimizer makes may be off by in float32: a beta of 0.999 is rounded
#: by u, which is a thousand times as large a share of 1 - 0.999. Some backends compute that in
#: Python's precision, and so the middle one's rounding doesn't show it.
ONE_LESS_BETA = UNIT_ROUNDOFF["float32"] / (1.0 - 0.999)

#: How many times its terms' share a sum is off by whose terms cancel out, besides `SAFETY`.
CANCELLED = 8.0

#: How many of the stages that lose digits are named.
MOST_NAMED = 3

#: Where float64 has a deviation of float32 as well, the two differ by less than this share of it;
#: where it hasn't, no more than this share is left.
REST = 1e-2


@dataclass(frozen=True)
class OwnRounding:
    """What a closer look at one backend says of the places that are off.

    `deviations` are at those places, each beside what the backend's own rounding explains, and
    `dependent` the layers whose output depends on the places of the examples in their batch: then
    the order tells nothing of rounding.
    """

    deviations: tuple[Deviation, ...] = ()
    dependent: tuple[str, ...] = ()

    @property
    def explained(self) -> tuple[Deviation, ...]:
        """Those that this rounding explains."""
        return tuple(each for each in self.deviations if not each.is_off)


def moved_by_orders(orders: Mapping[str, Array]) -> dict[Place, Array]:
    """Return how far each array moves with the order of the batch, from what a worker has left."""
    return {
        Place.from_key(key.removeprefix(SPREAD)): orders[key]
        for key in orders
        if key.startswith(SPREAD)
    }


def depend_on_order(moved: Mapping[Place, Array], reference: Reference) -> tuple[str, ...]:
    """Return the layers whose output, or the loss, depends on the places of the examples."""
    sizes = scales(reference)
    found = (
        place.subject
        for place, distance in moved.items()
        if place.stage in (FORWARD, LOSS)
        and not float(np.max(distance, initial=0.0)) <= MOST_MOVED * sizes[scaled_alike(place)]
    )
    return tuple(dict.fromkeys(found))


def with_orders(reference: Reference, moved: Mapping[Place, Array]) -> Reference:
    """Return the reference with the spread of a backend that moves so far with the order."""
    largest = {
        place: ORDER_FACTOR * float(np.max(distance, initial=0.0))
        for place, distance in moved.items()
        if place in reference.spread
    }
    wider = {
        place: np.maximum(reference.spread[place], distance)
        for place, distance in largest.items()
        if math.isfinite(distance)
    }
    return Reference(reference.arrays, reference.spread | wider)


def with_sums(
    reference: Reference,
    own: Mapping[Place, Array],
    off: Iterable[Place],
    batch_size: int,
) -> Reference:
    """Return the reference with room for sums in float32 within an example.

    Only where float64 confirms that nothing else is off.

    The order of the examples doesn't change such a sum. Of n numbers that go into a layer, or of
    gradients that come back to it, one sum has n terms at most, and is off by √n·u of its size.

    Args:
        reference: what is compared with.
        own: the arrays of the backend in float64.
        off: the places of stages that rounding doesn't explain.
        batch_size: the examples of a batch.
    """
    wider = {}
    for place in off:
        if place.stage not in (FORWARD, INPUT_GRADIENT) or place not in own:
            continue
        truth = np.asarray(reference.arrays[place], "float64")
        if not _distance(own[place], truth) <= CONFIRMED * UNIT_ROUNDOFF["float32"]:
            continue
        rounding = UNIT_ROUNDOFF["float32"] * largest_number(truth)
        terms = max(
            (
                reference.arrays[other].size / batch_size
                for other in reference.arrays
                if (other.epoch, other.step) == (place.epoch, place.step)
                and other.stage in (LAYER_INPUT, OUTPUT_GRADIENT)
                and call_of(other.subject) == call_of(place.subject)
            ),
            default=1.0,
        )
        wider[place] = np.maximum(reference.spread[place], math.sqrt(terms) * rounding)
    return Reference(reference.arrays, reference.spread | wider)


def with_constants(
    reference: Reference, own: Mapping[Place, Array], off: Iterable[Place]
) -> Reference:
    """Return the reference with room for an optimizer's constants in float32.

    What an optimizer keeps has it where float64 is off by no more: TensorFlow rounds constants
    there as well. A weight has it only where float64 confirms that nothing else is off, or is off
    by no more than what the optimizer keeps, which the weight follows: no epsilon is in that.

    Args:
        reference: what is compared with.
        own: the arrays of the backend in float64.
        off: the places that rounding doesn't explain.
    """
    kept = (
        _distance(own[place], reference.arrays[place])
        for place in reference.spread
        if place.stage == UPDATE and _is_state(place) and place in own
    )
    of_state = max((distance for distance in kept if distance <= ONE_LESS_BETA), default=0.0)
    wider = {}
    for place in off:
        if place.stage not in (UPDATE, STEP) or place.subject == THE_LOSS or place not in own:
            continue
        truth = np.asarray(reference.arrays[place], "float64")
        confirmed = ONE_LESS_BETA if _is_state(place) else max(REST * ONE_LESS_BETA, of_state)
        if _distance(own[place], truth) <= confirmed:
            room = ONE_LESS_BETA * largest_number(truth)
            wider[place] = np.maximum(reference.spread[place], room / SAFETY)
    return Reference(reference.arrays, reference.spread | wider)


def _is_state(place: Place) -> bool:
    return place.subject.startswith("optimizer/")


def _distance(own: Array, truth: Array) -> float:
    """Return the largest distance to the truth by its size; infinite where the shapes differ."""
    if own.shape != truth.shape:
        return math.inf
    distance = float(np.abs(own - truth).max(initial=0.0))
    size = largest_number(truth)
    if not distance:
        return 0.0
    return distance / size if size and not math.isnan(distance) else math.inf


def with_followers(
    reference: Reference, own: Mapping[Place, Array], looked_at: Sequence[Deviation]
) -> Reference:
    """Return the reference with room for what follows from stages that own rounding explains.

    A gradient through the whole model has the rounding of all its layers, and so has a training.
    Where terms cancel out, their share of the sum is larger than in the terms; so there is room for
    `CANCELLED` times the largest share of a stage, if float64 confirms that nothing else is off.

    Args:
        reference: what is compared with.
        own: the arrays of the backend in float64.
        looked_at: those deviations that rounding in general doesn't explain, beside their bounds.
    """
    steps = [each for each in looked_at if not (each.is_off or is_of_training(each.place))]
    share = max((each.deviation for each in steps), default=0.0)
    single = UNIT_ROUNDOFF["float32"]
    by_constants = (
        each for each in steps if each.place.stage == UPDATE and each.deviation <= ONE_LESS_BETA
    )
    # What is computed in float32 in both precisions is so in what follows as well.
    confirming = max(
        (
            _distance(own[each.place], reference.arrays[each.place])
            for each in by_constants
            if each.place in own
        ),
        default=0.0,
    )
    wider = {}
    for deviation in looked_at:
        place = deviation.place
        follows = place.stage in (GRADIENT, STEP) or is_of_training(place)
        if not (deviation.is_off and follows and place in own):
            continue
        truth = np.asarray(reference.arrays[place], "float64")
        size = largest_number(truth)
        rest = CANCELLED * max(CONFIRMED * single, confirming)
        if _distance(own[place], truth) <= max(rest, REST * deviation.deviation):
            wider[place] = np.maximum(reference.spread[place], CANCELLED * share * size)
    return Reference(reference.arrays, reference.spread | wider)


def without_leaps(
    reference: Reference, seen: Mapping[Place, Array], own: Mapping[Place, Array], dtype: str
) -> Reference:
    """Return the reference as it is for a backend whose outputs leap for another reason.

    Where two scores are equal, or a number lies on a threshold, what goes in moved by a rounding
    makes the output leap, and so a leap seems explained. But what goes in is the same everywhere.
    A backend whose float32 and float64 give the same, and most backends' float64 gives something
    else, doesn't round: it means something else.

    Args:
        reference: what is compared with.
        seen: the backend's arrays.
        own: the same backend's in float64.
        dtype: of `seen`.
    """
    narrower = {}
    for place in reference.spread:
        if place.stage != FORWARD or place not in own or place not in seen:
            continue
        truth, mine = np.asarray(reference.arrays[place], "float64"), own[place]
        if not seen[place].shape == mine.shape == truth.shape:
            continue
        scale = largest_number(truth)
        leaps = np.abs(mine - truth) > LEAP * scale
        alike = np.abs(np.asarray(seen[place], "float64") - mine) <= REST * LEAP * scale
        if (leaps & alike).any():
            spread = np.broadcast_to(reference.spread[place], truth.shape)
            narrower[place] = np.where(leaps & alike, UNIT_ROUNDOFF[dtype] * scale, spread)
    return Reference(reference.arrays, reference.spread | narrower)


def with_single_precision(reference: Reference) -> Reference:
    """Return the reference for a backend that computes in float32 though float64 is asked for."""
    coarser = UNIT_ROUNDOFF["float32"] / UNIT_ROUNDOFF["float64"]
    return Reference(
        reference.arrays, {place: coarser * array for place, array in reference.spread.items()}
    )


def closer_reference(
    reference: Reference,
    own: Mapping[Place, Array],
    off: Iterable[Place],
    batch_size: int,
    dtype: str,
    is_textbook: bool,
) -> Reference | None:
    """Return what a backend that is off is compared with at a closer look; None: there is none.

    In float64 that is the rounding of float32, in which it may compute a part; the textbook's
    reference knows by name what is computed so, and needs no closer look.
    """
    if dtype == "float32":
        return with_constants(with_sums(reference, own, off, batch_size), own, off)
    return None if is_textbook else with_single_precision(reference)


def digits_lost(rounded: Iterable[Deviation], dtype: str) -> str:
    """Say what is computed to few digits, of deviations that only own rounding explains.

    It is empty where no stage itself is among them: what comes after one follows from it. Of many
    those with the fewest digits are named.
    """
    digits: dict[str, int] = {}
    for deviation in rounded:
        what = _what(deviation.place)
        if what is not None and 0.0 < deviation.deviation < math.inf:
            known = max(0, math.floor(-math.log10(deviation.deviation)))
            digits[what] = min(known, digits.get(what, known))
    if not digits:
        return ""
    named = sorted(digits.items(), key=lambda item: item[1])[:MOST_NAMED]
    said = [f"{what} to {number} digit{'' if number == 1 else 's'}" for what, number in named]
    more = len(digits) - len(named)
    if more:
        said.append(f"and {more} more to at least as many")
    return f"{', '.join(said)} in {dtype}"


def names_of(places: Iterable[Place]) -> tuple[str, ...]:
    """Return what places are of, where that is a stage itself and not what comes after one."""
    return tuple(dict.fromkeys(what for place in places if (what := _what(place)) is not None))


def _what(place: Place) -> str | None:
    if place.stage == FORWARD:
        return f"the output of layer {call_of(place.subject)}"
    if place.stage == INPUT_GRADIENT:
        return f"the gradient by what goes into layer {call_of(place.subject)}"
    if place.stage in (WEIGHT_GRADIENT, GRADIENT):
        return f"the gradient of {place.subject}"
    if place.stage == UPDATE:
        return f"the optimizer's update of {place.subject.removeprefix('optimizer/')}"
    return {LOSS: "the loss", LOSS_GRADIENT: "the gradient of the loss"}.get(place.stage)
