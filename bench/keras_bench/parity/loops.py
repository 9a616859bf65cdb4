"""Whether a loop trains what `fit` trains on its backend, next to what rounding explains.

Both start from the same weights, states of the optimizer and of seeds, and train on the same
batches. So what a loop does otherwise is its own doing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from keras_bench.parity.deviations import SAFETY, Deviation
from keras_bench.parity.places import EPOCH_METRIC, Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.reach import reach_of
from keras_bench.parity.training import Reference
from keras_bench.parity.verdict import when
from keras_bench.records import ArmResult, Failure, Parity, ParityOutcome, contender

Array = np.ndarray

#: The outcomes, the worst first.
WORST_FIRST: tuple[ParityOutcome, ...] = ("differs", "unchecked", "explained", "agrees")


@dataclass(frozen=True)
class LoopVerdict:
    """What came of one loop, trained by a learner of this name: a backend, or a side on one.

    `deviations` are all that was compared, those furthest beyond what rounding explains first, and
    `reach` says how much of the training that was, nothing where it was all.
    Where it is unchecked, `failure` says why, and `exit_code` is that of the error; it is
    `unsupported` where the loop refuses to train the workload.
    """

    learner: str
    loop: str
    outcome: ParityOutcome
    deviations: tuple[Deviation, ...] = ()
    reach: str = ""
    failure: str = ""
    exit_code: int = 0
    unsupported: bool = False
    traceback: str = ""


def judge_loop(
    learner: str,
    loop: str,
    seen: Mapping[Place, Array],
    by_fit: Reference,
    tolerance: float = 0.0,
) -> LoopVerdict:
    """Return what is to say of a loop: unchecked where rounding hides each of its steps.

    Args:
        learner: what trains it.
        loop: its name.
        seen: the metrics of each epoch, and those variables that the loop leaves.
        by_fit: those of `fit`, and how far rounding moves an element of each.
        tolerance: a relative deviation that is let pass where the bound is smaller.
    """
    steps = {(place.epoch, place.step) for place in seen if place.step}
    shown = [
        place
        for place in by_fit.arrays
        if place in seen
        or (place.stage == EPOCH_METRIC and (not place.step or (place.epoch, place.step) in steps))
    ]
    compared = [
        _deviation(place, seen.get(place), by_fit.arrays[place], by_fit.spread[place], tolerance)
        for place in shown
    ]
    compared += [Deviation(place, math.inf, 0.0) for place in seen if place not in by_fit.arrays]
    # Of what agrees to the last digit, that comes first where rounding explains least.
    compared.sort(key=lambda deviation: (-_excess(deviation), deviation.bound or math.inf))
    reach = reach_of(by_fit)
    outcome: ParityOutcome = "unchecked" if reach.is_nothing else "agrees"
    if any(deviation.is_off for deviation in compared):
        outcome = "differs"
    return LoopVerdict(learner, loop, outcome, tuple(compared), reach.in_words)


def sentence_of_loop(verdict: LoopVerdict) -> str:
    """Say what came of a loop."""
    name = contender(verdict.learner, verdict.loop)
    if verdict.outcome == "unchecked":
        return f"{name} is unchecked: {verdict.failure}"
    if verdict.outcome == "agrees":
        return f"{name} agrees with fit to rounding" + (
            f", {verdict.reach}" if verdict.reach else ""
        )
    off = [deviation for deviation in verdict.deviations if deviation.is_off]
    text = f"{name} parts from fit: {describe(off[0])}"
    if off[1:]:
        text += f", and so are {len(off) - 1} more"
    return text


def judged(result: ArmResult, verdict: LoopVerdict) -> ArmResult:
    """Return an arm with what came of its loop, besides its parity so far; it fails if refused."""
    of_loop = Parity(verdict.outcome, sentence_of_loop(verdict), exit_code=verdict.exit_code)
    parity = worse(result.parity, of_loop)
    failure = result.failure
    if verdict.unsupported:
        failure = Failure(0, verdict.failure, verdict.exit_code, unsupported=True)
    return replace(result, parity=parity, failure=failure)


def describe(deviation: Deviation) -> str:
    """Say what deviates, when and how far, and what rounding explains of it."""
    place = deviation.place
    size = f"{deviation.deviation:.1e}" if math.isfinite(deviation.deviation) else "beyond measure"
    explained = f"rounding explains {deviation.bound:.1e}" if deviation.bound else "it is exact"
    return f"{place.subject} {when(place)} is off by {size} ({explained})"


def worse(of_backend: Parity, of_loop: Parity) -> Parity:
    """Return the parity of an arm by that of its backend under `fit` and that of its loop."""
    return min(of_loop, of_backend, key=lambda parity: WORST_FIRST.index(parity.outcome))


def first_without_number(by_fit: Reference) -> Place | None:
    """Return where `fit`, or a replica of it, has what is infinite or no number.

    Nothing can be compared with that.
    """
    return next(
        (
            place
            for place, array in by_fit.arrays.items()
            if not (np.isfinite(array).all() and np.isfinite(by_fit.spread.get(place, 0.0)).all())
        ),
        None,
    )


def _excess(deviation: Deviation) -> float:
    """Return a deviation in multiples of what rounding explains."""
    if deviation.bound == 0.0:
        return math.inf if deviation.deviation else 0.0
    return deviation.deviation / deviation.bound


def _deviation(
    place: Place, value: Array | None, truth: Array, spread: Array, tolerance: float
) -> Deviation:
    """Compare one array by the element that is most off; the bound is one for all elements.

    Rounding moves an element as far as the others of its array, at some time: where it comes from
    the same sums, it is chance which of them a replica moves.
    """
    if value is None or value.shape != truth.shape or value.dtype != truth.dtype:
        return Deviation(place, math.inf, 0.0)
    if truth.size == 0:
        return Deviation(place, 0.0, 0.0)
    if truth.dtype.kind != "f":
        # What counts, and the states of seeds, is exact.
        parted = value.astype("float64") - truth.astype("float64")
        return Deviation(place, float(np.abs(parted).max()), 0.0)
    exact, seen = truth.astype("float64"), value.astype("float64")
    scale = float(np.abs(exact).max()) or 1.0
    with np.errstate(invalid="ignore"):  # Infinity less infinity.
        distance = np.where(seen == exact, 0.0, np.abs(seen - exact))
    off = float(np.where(np.isfinite(distance), distance, np.inf).max())
    least = max(UNIT_ROUNDOFF[truth.dtype.name] * scale, float(np.finfo(truth.dtype).tiny))
    bound = SAFETY * max(float(spread), least)
    return Deviation(place, off / scale, max(bound / scale, tolerance))
