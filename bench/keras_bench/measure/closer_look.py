"""Looks closer at backends that are off, by letting their workers do it again in other orders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from keras_bench.measure.parity_workers import ArraysAtPlaces, ParityWorkers
from keras_bench.parity.deviations import Deviation, deviation_at
from keras_bench.parity.own_rounding import (
    OwnRounding,
    depend_on_order,
    moved_by_orders,
    with_followers,
    with_orders,
)
from keras_bench.parity.places import RUNNING_LOSS, Place
from keras_bench.parity.training import Reference, Training, is_of_training


def look_closer(
    references: Mapping[str, Reference],
    off: Mapping[str, Sequence[Place]],
    training: Training,
    seen: Mapping[str, ArraysAtPlaces],
    own: Mapping[str, ArraysAtPlaces],
    tolerance: float,
    group: ParityWorkers,
    free: ParityWorkers,
) -> dict[str, OwnRounding]:
    """Let backends do again, in other orders, what is off; return what their rounding explains.

    Trainings follow from their steps, so they are done again only where the steps agree, and where
    `fit` begins with the right batch.

    Args:
        references: what each backend is compared with by now, of those that are looked at.
        off: the places of each backend that rounding in general doesn't explain.
        training: what all trained.
        seen: the arrays of each backend.
        own: those of each backend in float64, where it has any.
        tolerance: a relative deviation that is let pass.
        group: the workers that take steps apart.
        free: the workers that train by fit.
    """
    known = dict(references)

    def look(name: str) -> list[Deviation]:
        return [
            deviation_at(place, seen[name][place], known[name], "float32", tolerance)
            for place in off[name]
        ]

    def still_off() -> dict[str, list[Place]]:
        return {name: [each.place for each in look(name) if each.is_off] for name in known}

    steps = {
        name: {(place.epoch, place.step) for place in places} & set(training.points)
        for name, places in still_off().items()
    }
    dependent: dict[str, tuple[str, ...]] = {}
    if asked := [name for name, points in steps.items() if points]:
        points = tuple(sorted(set().union(*steps.values())))
        apart = replace(training, points=points)
        # All references have the same arrays.
        given = known[asked[0]].arrays
        for name, found in group.carry_out("reorder", apart, given, asked).items():
            moved = moved_by_orders(found)
            dependent[name] = depend_on_order(moved, known[name])
            if not dependent[name]:
                known[name] = with_orders(known[name], moved)
    for name in references:
        known[name] = with_followers(known[name], own.get(name, {}), look(name))
    begin = Place(1, 1, RUNNING_LOSS)
    if asked := [
        name
        for name, places in still_off().items()
        if places and all(map(is_of_training, places)) and begin not in places
    ]:
        for name, found in free.carry_out("reorder", training, {}, asked).items():
            known[name] = with_orders(known[name], moved_by_orders(found))
    return {name: OwnRounding(tuple(look(name)), dependent.get(name, ())) for name in known}
