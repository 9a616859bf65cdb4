"""Whether backends learn the same: the verdict on one workload, and the sentences that say it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_bench.parity.blueprint import Blueprint
from keras_bench.parity.causes import Cause, find_causes
from keras_bench.parity.departures import departures_in, together
from keras_bench.parity.deviations import SAFETY, Deviation, deviation_at, deviations
from keras_bench.parity.network import Network
from keras_bench.parity.own_rounding import OwnRounding, digits_lost, names_of
from keras_bench.parity.places import (
    EPOCH_LOSS,
    RUNNING_LOSS,
    STAGES,
    STEP,
    THE_LOSS,
    UPDATE,
    Place,
)
from keras_bench.parity.training import Reference, Training, by_departure, is_of_training
from keras_bench.records import ParityOutcome

Array = np.ndarray

#: How much that is computed in float32 a remark names.
MOST_PARTS = 4

#: How far a reason must bring the deviation down, beside bringing it within rounding.
REMAINDER = 0.5


@dataclass(frozen=True)
class Worst:
    """The deviation of a stage that is the largest against what rounding explains."""

    stage: str
    deviation: Deviation


@dataclass(frozen=True)
class BackendVerdict:
    """What came of one backend.

    "explained" means that it differs, and that known reasons reproduce all of it, or that it is off
    by no more than float32's rounding where float64 is asked for. Where it is
    unchecked, `failure` says why, and `exit_code` is that of the error,
    as `traceback` is, where there is one.
    """

    backend: str
    outcome: ParityOutcome
    causes: tuple[Cause, ...] = ()
    worst: tuple[Worst, ...] = ()
    losses: tuple[tuple[Place, float], ...] = ()
    failure: str = ""
    exit_code: int = 0
    traceback: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What came of one workload.

    `losses` are the reference's, each with the relative deviation that rounding explains.
    """

    workload: str
    dtype: str
    epochs: int
    source: str
    remarks: tuple[str, ...]
    backends: tuple[BackendVerdict, ...]
    losses: tuple[tuple[Place, float, float], ...]
    knows_who: bool = True
    """Whether the reference tells which backend is off: a median that most differ from can't."""


def judge(
    backend: str,
    seen: Mapping[Place, Array],
    distances: Sequence[Deviation],
    rounding: OwnRounding,
    blueprint: Blueprint,
    training: Training,
    reference: Reference,
    network: Network | None,
    tolerance: float,
) -> BackendVerdict:
    """Return what is to say of one backend.

    Args:
        backend: its name.
        seen: its arrays.
        distances: how far they are from the reference.
        rounding: what a closer look at its own rounding says of those that are off.
        blueprint: its model.
        training: what all trained.
        reference: what it is compared with.
        network: that of the model, where the textbook's reference covers it.
        tolerance: a relative deviation that is let pass.
    """
    closer = {deviation.place: deviation for deviation in rounding.deviations}
    compared = [closer.get(deviation.place, deviation) for deviation in distances]
    other_data = _other_data(blueprint, training.blueprint)
    causes = find_causes(
        [deviation for deviation in compared if deviation.is_off],
        training.blueprint,
        seen,
        reference.arrays,
        bool(other_data),
    )
    differing = dict(_settings(blueprint, training.blueprint))
    switched_off = [
        Cause(f"{name} is switched off here, but {differing[name]}", ())
        for name in blueprint.random_layers
        if name in differing
    ]
    causes = [*([Cause(other_data, ())] if other_data else []), *switched_off, *causes]
    outcome: ParityOutcome = "differs" if causes else "agrees"
    if not causes and rounding.explained and training.dtype == "float64":
        outcome = "explained"
    if causes and network is not None and not other_data:
        causes, explained = _explain(causes, seen, training, reference, network, tolerance)
        outcome = "explained" if explained else "differs"
    causes = _with_settings(causes, differing, training.blueprint)
    losses = tuple(
        (place, float(seen[place]))
        for place in seen
        if place.stage in (RUNNING_LOSS, EPOCH_LOSS) and seen[place].shape == ()
    )
    return BackendVerdict(
        backend,
        outcome,
        tuple(causes),
        _worst(compared),
        losses,
        remarks=_of_rounding(backend, rounding, training.dtype),
    )


def _of_rounding(backend: str, rounding: OwnRounding, dtype: str) -> tuple[str, ...]:
    said = []
    if dtype == "float64":
        if parts := names_of(deviation.place for deviation in rounding.explained):
            more = f", and {len(parts) - MOST_PARTS} more" if len(parts) > MOST_PARTS else ""
            said.append(f"{backend} computes in float32: {', '.join(parts[:MOST_PARTS])}{more}")
    elif lost := digits_lost(rounding.explained, dtype):
        said.append(f"{backend} computes {lost}")
    if rounding.dependent:
        said.append(
            f"{backend}: {', '.join(rounding.dependent)} depends on the place of an example in its"
            " batch, so another order of the batch tells nothing of rounding there"
        )
    return tuple(said)


def reference_losses(reference: Reference, dtype: str) -> tuple[tuple[Place, float, float], ...]:
    """Return the reference's losses, with the relative deviation that rounding explains."""
    return tuple(
        (place, float(array), deviation_at(place, array, reference, dtype).bound)
        for place, array in reference.arrays.items()
        if place.stage in (RUNNING_LOSS, EPOCH_LOSS)
    )


def settle(blueprints: Mapping[str, Blueprint]) -> str:
    """Return the backend whose blueprint most others share: the one to make the reference of."""

    def like(blueprint: Blueprint) -> tuple[object, ...]:
        return (
            blueprint.data, str(blueprint.layers), str(blueprint.optimizer),
             str(blueprint.losses), str(blueprint.weights),
        )  # fmt: skip

    return max(
        blueprints,
        key=lambda backend: sum(like(blueprints[backend]) == like(b) for b in blueprints.values()),
    )


def shapes_differ(blueprint: Blueprint, other: Blueprint) -> str:
    """Say how two models or their data differ that can't be trained alike, or nothing."""
    shapes = {each.name: each.shape for each in blueprint.data}
    for each in other.data:
        shape = shapes.get(each.name)
        # Targets may differ in shape and be the same to a loss.
        if shape is None or (each.name.startswith("x") and shape != each.shape):
            given = f"{each.name} of the shape {shape}" if shape else f"no {each.name}"
            return f"data() gives it {given} instead of {each.shape}"
    mine = {weight.path: weight.shape for weight in blueprint.weights}
    theirs = {weight.path: weight.shape for weight in other.weights}
    if mine == theirs and blueprint.optimizer_variables == other.optimizer_variables:
        return ""
    odd = [f"{path} {shape}" for path, shape in mine.items() if theirs.get(path) != shape]
    lacking = [path for path in theirs if path not in mine]
    words = [f"has {', '.join(odd)}"] if odd else []
    words += [f"lacks {', '.join(lacking)}"] if lacking else []
    return f"its model {' and '.join(words) or 'has another optimizer'}"


def most_agree(verdicts: Sequence[BackendVerdict]) -> bool:
    """Tell whether a consensus is one: whether most backends agree with it."""
    agreeing = sum(verdict.outcome in ("agrees", "explained") for verdict in verdicts)
    return agreeing > len(verdicts) - agreeing


def remarks(training: Training, reference: Reference) -> tuple[str, ...]:
    """Say what of a workload isn't compared, or not as it is."""
    blueprint = training.blueprint
    said = []
    if blueprint.random_layers:
        said.append(
            f"{', '.join(blueprint.random_layers)}: what is drawn at random there differs between"
            " backends by design, so it is switched off; everything else is compared"
        )
    if blueprint.left_out:
        said.append(f"FIT's {', '.join(blueprint.left_out)} is left out of the comparison")
    if training.own_start:
        said.append(
            f"{', '.join(training.own_start)}: the initializer isn't known here, so all backends"
            " start from one backend's values"
        )
    none = names_of(
        place for place in reference.spread if not np.isfinite(reference.arrays[place]).all()
    )
    said += [f"{what} isn't a number everywhere, alike on all backends" for what in none]
    return tuple(said)


def sentence(verdict: BackendVerdict, alone: bool = True) -> str:
    """Say what came of a backend; not `alone` where any of them may be the one that is off."""
    if verdict.outcome == "unchecked":
        return f"{verdict.backend} is unchecked: {verdict.failure}"
    if verdict.outcome == "agrees":
        return f"{verdict.backend} agrees to rounding"
    if not verdict.causes:
        return f"{verdict.backend} agrees to the rounding of float32, in which it computes in part"
    first, *others = verdict.causes
    if verdict.outcome == "explained":
        reasons = dict.fromkeys(cause.reason for cause in verdict.causes)
        return (
            f"{verdict.backend} differs for known reasons, which reproduce it to rounding:"
            f" {'; '.join(reasons)}; first {describe(replace(first, reason=''))}"
        )
    text = f"{verdict.backend} parts from the reference {describe(first)}"
    if others:
        text += f" (and in {len(others)} further respect{'s' if len(others) > 1 else ''})"
    return (
        text if alone else f"{text}; most backends don't agree, so any may be the one that is off"
    )


def describe(cause: Cause) -> str:
    """Say where a cause shows first, how large it is, and its reason where it is known."""
    reason = f": {cause.reason}" if cause.reason else ""
    if cause.first is None:
        return f"before the training: {cause.what}{reason}"
    place, deviation = cause.first.place, cause.first
    return f"{when(place)}: {cause.what} ({deviation.in_words}){reason}"


def when(place: Place) -> str:
    """Write when in a training a place is."""
    if place.epoch == 0:
        return "before the training"
    if place.step == 0:
        return f"at the end of epoch {place.epoch}"
    return f"in epoch {place.epoch}, step {place.step}"


def _worst(compared: Sequence[Deviation]) -> tuple[Worst, ...]:
    found = []
    for stage in STAGES:
        of_stage = [each for each in compared if each.place.stage == stage]
        if of_stage:
            found.append(Worst(stage, max(of_stage, key=lambda d: d.deviation / (d.bound or 1.0))))
    return tuple(found)


def _explain(
    causes: Sequence[Cause],
    seen: Mapping[Place, Array],
    training: Training,
    reference: Reference,
    network: Network,
    tolerance: float,
) -> tuple[list[Cause], bool]:
    """Look for the known reason of each cause, and tell whether they explain everything."""
    departed = {
        reason: by_departure(network, training, reference, arithmetic, freely=False)
        for reason, arithmetic in departures_in(training.dtype).items()
    }
    named = []
    for cause in causes:
        reasons = (
            reason
            for reason, other in departed.items()
            if _reproduces(cause, seen, reference, other, training.dtype, tolerance)
        )
        named.append(replace(cause, reason=next(reasons, "")))
    if not all(cause.reason for cause in named):
        return named, False
    arithmetic = together(dict.fromkeys(cause.reason for cause in named))
    whole = by_departure(network, training, reference, arithmetic, freely=True)
    rest = deviations(seen, whole, training.dtype, tolerance)
    return named, not any(deviation.is_off for deviation in rest)


def _reproduces(
    cause: Cause,
    seen: Mapping[Place, Array],
    reference: Reference,
    departed: Reference,
    dtype: str,
    tolerance: float,
) -> bool:
    places = [d.place for d in cause.places if not is_of_training(d.place)]
    if not places or any(place not in departed.arrays for place in places):
        return False
    if any(deviation_at(place, seen[place], departed, dtype, tolerance).is_off for place in places):
        return False
    before, after, noise = (
        sum(float(np.sum(np.square(differences(place)))) for place in places) ** 0.5
        for differences in (
            lambda place: seen[place] - reference.arrays[place],
            lambda place: seen[place] - departed.arrays[place],
            lambda place: departed.spread[place],
        )
    )
    # Within rounding is not enough where the departure itself is one that rounds more: the
    # deviation must vanish, or be of the size that such rounding has.
    return bool(after < REMAINDER * before or before > REMAINDER / SAFETY * noise)


def _other_data(blueprint: Blueprint, common: Blueprint) -> str:
    theirs = {each.name: each.sha256 for each in common.data}
    differing = [each.name for each in blueprint.data if each.sha256 != theirs.get(each.name)]
    return f"data() gives it another {' and another '.join(differing)}" if differing else ""


def _with_settings(
    causes: Sequence[Cause], differing: Mapping[str, str], common: Blueprint
) -> list[Cause]:
    """Add where what is off is configured otherwise on this backend; that is a reason too."""
    owners = {path: layer.name for layer in common.layers for path in layer.weights}
    # No optimizer touches these: their layer moves them.
    frozen = {weight.path for weight in common.weights if not weight.trainable}

    def reason(cause: Cause) -> str:
        if cause.reason or cause.first is None:
            return cause.reason
        place = cause.first.place
        part = owners.get(place.subject, place.subject)
        if place.stage in (UPDATE, STEP) and place.subject not in frozen:
            part = "optimizer"
        return differing.get(part, "")

    return [replace(cause, reason=reason(cause)) for cause in causes]


def _settings(blueprint: Blueprint, common: Blueprint) -> Iterator[tuple[str, str]]:
    """Yield what is configured otherwise, by "optimizer", "loss", or the name of a layer."""
    pairs = [("optimizer", blueprint.optimizer, common.optimizer)]
    losses = zip(blueprint.losses, common.losses, strict=False)
    pairs += [(THE_LOSS, mine, theirs) for mine, theirs in losses]
    layers = zip(blueprint.layers, common.layers, strict=False)
    pairs += [(theirs.name, mine.part, theirs.part) for mine, theirs in layers]
    for name, mine, theirs in pairs:
        if mine.kind != theirs.kind:
            yield name, f"it is built with {mine.kind} instead of {theirs.kind}"
            continue
        different = [
            f"{key}={_short(mine.config.get(key))} instead of {_short(theirs.config.get(key))}"
            for key in mine.config | theirs.config
            if mine.config.get(key) != theirs.config.get(key)
        ]
        if different:
            yield name, f"it is built with {' and '.join(different)}"


def _short(setting: object) -> str:
    text = str(setting)
    return text if len(text) <= 60 else f"{text[:57]}..."
