"""From many deviations to few causes: what is off first, and what only follows from it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.blueprint import Blueprint
from keras_bench.parity.deviations import Deviation
from keras_bench.parity.places import (
    BEFORE,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    INPUT_GRADIENT,
    LOSS,
    LOSS_GRADIENT,
    RUNNING_LOSS,
    STAGES,
    STEP,
    THE_LOSS,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)

Array = np.ndarray

#: A gradient of a layer that deviates this many times more than the layer's output has a cause
#: of its own: an output that is off by a share puts the gradients off by about the same.
OWN_CAUSE = 100.0


@dataclass(frozen=True)
class Cause:
    """Where a backend first parts from the reference for one cause.

    `what` says it in words, without the backend. `places` are those that this cause puts off,
    the first one first; it is empty where the models themselves differ.
    """

    what: str
    places: tuple[Deviation, ...]
    reason: str = ""

    @property
    def first(self) -> Deviation | None:
        """The first place that is off."""
        return self.places[0] if self.places else None


def find_causes(
    off: Iterable[Deviation],
    blueprint: Blueprint,
    seen: Mapping[Place, Array],
    reference: Mapping[Place, Array],
    other_data: bool,
) -> list[Cause]:
    """Return the causes behind the deviations of one backend, in the order of the training.

    Args:
        off: the deviations that rounding doesn't explain.
        blueprint: of the model, for the order of its layers.
        seen: the backend's arrays.
        reference: those of the reference.
        other_data: whether the backend trains other data than the reference.
    """
    order = _Order(blueprint)
    sorted_off = sorted(off, key=lambda deviation: order.key(deviation.place))
    layers = [
        cause
        for layer in blueprint.layers
        for cause in _of_layer(
            layer.name, [d for d in sorted_off if order.layer(d.place) == layer.name], seen
        )
    ]
    foreign = {d.place.subject for d in sorted_off if d.place.stage == INITIAL_WEIGHTS}

    known = {layer.name for layer in blueprint.layers}
    local = (INITIAL_WEIGHTS, FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT)
    strays = [
        Cause(f"the {d.place.stage} of {d.place.subject}", (d,))
        for d in sorted_off
        if d.place.stage in local and order.layer(d.place) not in known
    ]

    def those(*stages: str) -> list[Deviation]:
        return [d for d in sorted_off if d.place.stage in stages]

    loss = [] if other_data else _of_loss(those(LOSS, LOSS_GRADIENT))
    update = [d for d in those(UPDATE) if d.place.subject not in foreign]
    causes = [*layers, *strays, *loss, *_of_update(update, blueprint, seen, reference)]

    upstream = bool(layers or strays or loss or other_data)
    gradients = [] if upstream else those(GRADIENT)
    causes += _of_gradients(gradients, seen)
    upstream = upstream or bool(gradients)
    steps = those(STEP)
    losses = [d for d in steps if d.place.subject == THE_LOSS]
    if losses and not upstream:
        causes += [Cause("the loss in the training step (train_step)", tuple(losses))]
    elif steps and not causes and not other_data:
        causes += _of_steps(steps, seen, reference)
    return sorted(
        [*causes, *_of_training(sorted_off, seen, bool(causes) or other_data)],
        key=lambda cause: order.key(cause.places[0].place),
    )


class _Order:
    """What comes before what in a training."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._layers = [layer.name for layer in blueprint.layers]
        self._owners = {path: layer.name for layer in blueprint.layers for path in layer.weights}

    def layer(self, place: Place) -> str | None:
        """Return the layer whose own doing a place is, if it is a layer's."""
        if place.stage in (FORWARD, INPUT_GRADIENT):
            # A call after the first has a number behind it, and so has one of several tensors.
            name = re.sub(r"(#\d+)?(:\d+)?$", "", place.subject)
            return place.subject if place.subject in self._layers else name
        if place.stage in (INITIAL_WEIGHTS, WEIGHT_GRADIENT):
            return self._owners.get(place.subject)
        return None

    def key(self, place: Place) -> tuple[int, int, int, int]:
        """Return what to sort by: backward stages go from the last layer to the first."""
        name = self.layer(place) or self._owners.get(place.subject)
        index = self._layers.index(name) if name in self._layers else len(self._layers)
        backward = place.stage in (INPUT_GRADIENT, WEIGHT_GRADIENT, GRADIENT)
        # Epoch 1, step 1 comes before the epoch as a whole, which has the step 0.
        step = place.step if place.step or not place.epoch else 1_000_000_000
        return place.epoch, step, STAGES.index(place.stage), -index if backward else index


def _of_layer(name: str, off: Sequence[Deviation], seen: Mapping[Place, Array]) -> list[Cause]:
    initial = [d for d in off if d.place.stage == INITIAL_WEIGHTS]
    if initial:
        weights = ", ".join(dict.fromkeys(d.place.subject for d in initial))
        rest = [d for d in off if d not in initial]
        return [Cause(f"the initial value of {weights}, which it doesn't take", (*initial, *rest))]
    outputs = [d for d in off if d.place.stage == FORWARD]
    largest = max((d.deviation for d in outputs), default=0.0)
    gradients = [d for d in off if d.place.stage != FORWARD]
    own = [d for d in gradients if not outputs or d.deviation > OWN_CAUSE * largest]
    causes = []
    if outputs:
        follow = [d for d in gradients if d not in own]
        causes.append(Cause(f"the output of layer {name}", (*outputs, *follow)))
    weights_off = {d.place.subject for d in own if d.place.stage == WEIGHT_GRADIENT}
    if len(weights_off) == 1 and all(d.place.stage == WEIGHT_GRADIENT for d in own):
        causes.append(Cause(_gradient_of(weights_off.pop(), own, seen), tuple(own)))
    elif own:
        causes.append(Cause(f"the gradients of layer {name}", tuple(own)))
    return causes


def _of_loss(off: Sequence[Deviation]) -> list[Cause]:
    if not off:
        return []
    only_gradient = all(d.place.stage == LOSS_GRADIENT for d in off)
    return [Cause("the gradient of the loss" if only_gradient else "the loss", tuple(off))]


def _of_update(
    off: Sequence[Deviation],
    blueprint: Blueprint,
    seen: Mapping[Place, Array],
    reference: Mapping[Place, Array],
) -> list[Cause]:
    """Name the optimizer's state before the weights that follow from it."""
    if not off:
        return []
    weights = {weight.path for weight in blueprint.weights}
    first = (off[0].place.epoch, off[0].place.step)
    at_once = [d for d in off if (d.place.epoch, d.place.step) == first]
    state = [d for d in at_once if d.place.subject not in weights]
    named = (state or at_once)[0]
    kind = "the optimizer's" if state else "the optimizer's update of"
    name = named.place.subject.removeprefix("optimizer/")
    what = f"{kind} {name}{_stuck(named.place, seen, reference)}"
    return [Cause(what, (named, *(d for d in off if d is not named)))]


def _of_gradients(off: Sequence[Deviation], seen: Mapping[Place, Array]) -> list[Cause]:
    if not off:
        return []
    what = _gradient_of(off[0].place.subject, off, seen)
    return [Cause(f"{what}, through the whole model", tuple(off))]


def _gradient_of(path: str, off: Sequence[Deviation], seen: Mapping[Place, Array]) -> str:
    """Name the gradient of a weight, and say where it is zero and nothing else is off."""
    zero = all(d.place.subject == path and not np.any(seen[d.place]) for d in off)
    return f"the gradient of {path}{', which is zero' if zero else ''}"


def _of_steps(
    off: Sequence[Deviation], seen: Mapping[Place, Array], reference: Mapping[Place, Array]
) -> list[Cause]:
    first = off[0].place
    what = f"the training step (train_step), in {first.subject}"
    return [Cause(f"{what}{_stuck(first, seen, reference)}", tuple(off))]


def _stuck(place: Place, seen: Mapping[Place, Array], reference: Mapping[Place, Array]) -> str:
    """Say where a variable has stayed what it was."""
    before = reference.get(Place(place.epoch, place.step, BEFORE, place.subject))
    if before is None or before.shape != seen[place].shape:
        return ""
    stays = np.allclose(seen[place], before, rtol=1e-6, atol=0.0)
    return ", which stays what it was" if stays else ""


def _of_training(
    sorted_off: Sequence[Deviation],
    seen: Mapping[Place, Array],
    has_causes: bool,
) -> list[Cause]:
    """Look at the free training, which follows from everything else unless its batches differ."""
    later = [d for d in sorted_off if d.place.stage in STAGES[STAGES.index(RUNNING_LOSS) :]]
    if not later:
        return []
    first = later[0].place
    alone, in_fit = Place(1, 1, STEP), Place(1, 1, RUNNING_LOSS)
    takes_weights = not any(d.place.stage == INITIAL_WEIGHTS for d in sorted_off)
    both_known = seen.keys() >= {alone, in_fit} and seen[in_fit].shape == seen[alone].shape == ()
    if both_known and takes_weights:
        # Both are this backend's own: other causes don't tell them apart, other batches do.
        distance = abs(float(seen[alone]) - float(seen[in_fit]))
        known = next((d for d in later if d.place == in_fit), None)
        limit = 2.0 * known.bound * abs(float(seen[alone])) if known else np.inf
        if distance > limit:
            return [Cause("the batches that fit trains on", tuple(later))]
    if has_causes:
        return []
    if first.stage == RUNNING_LOSS and first.step == 1:
        return [Cause("the batches that fit trains on", tuple(later))]
    return [Cause("the training by fit, though each step by itself agrees", tuple(later))]
