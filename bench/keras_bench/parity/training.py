"""What every backend is to learn, and the reference for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.arithmetic import Arithmetic, RandomRounding
from keras_bench.parity.blueprint import Blueprint
from keras_bench.parity.network import Network
from keras_bench.parity.places import (
    EPOCH_END,
    EPOCH_LOSS,
    GRADIENT,
    INITIAL_WEIGHTS,
    LOGITS,
    LOSS_GRADIENT,
    RUNNING_LOSS,
    SPREAD,
    THE_LOSS,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.reference import Step, stages_apart, train
from keras_bench.parity.start import initial_weights, orders

Array = np.ndarray

#: Steps at the beginning that are taken apart one by one, beside the last of every epoch.
FIRST_STEPS = 3

#: How often the reference is computed with random rounding.
REPLICAS = 8

#: What is computed in float32 is off by less than this share of its size, if nothing else differs.
SAME_BUT_SINGLE = 1e-6

#: A consensus's spread counts so many times: of a stage only the inputs are rounded at random, not
#: each operation, and the largest distance among few replicas is too small for some element of
#: a large array.
COARSENESS = 4.0


@dataclass(frozen=True)
class Training:
    """A training, the same for every backend: data, initial weights by path, order, precision.

    `data` holds the arrays of the blueprint's data by their names.
    `orders` holds the examples of each epoch, `points` are the steps to take apart, each an
    epoch and a step, both counted from 1; `own_start` names the weights whose initial values a
    backend has drawn itself, since their initializer isn't known.
    """

    blueprint: Blueprint
    data: Mapping[str, Array]
    initial: dict[str, Array]
    own_start: tuple[str, ...]
    orders: tuple[Array, ...]
    points: tuple[tuple[int, int], ...]
    dtype: str

    @property
    def x(self) -> Array:
        """The inputs, where they are one array."""
        return self.data["x"]

    @property
    def y(self) -> Array:
        """The targets, where they are one array."""
        return self.data["y"]

    def batch(self, epoch: int, step: int) -> tuple[Array, Array]:
        """Return the examples of a step, where x and y are an array each."""
        size = self.blueprint.batch_size
        chosen = self.orders[epoch - 1][(step - 1) * size : step * size]
        return self.x[chosen], self.y[chosen]

    def script(self) -> dict[str, Array]:
        """Return the arrays that a worker needs, by the names it knows them by."""
        return {f"initial/{path}": array for path, array in self.initial.items()} | {
            f"order/{epoch}": order for epoch, order in enumerate(self.orders, start=1)
        }


@dataclass(frozen=True)
class Reference:
    """What a training gives at every place, and how far rounding may move each element.

    `spread` is the largest distance among replicas with random rounding, an array like the
    value or one number for all of its elements.
    """

    arrays: dict[Place, Array]
    spread: dict[Place, Array]


def plan_training(
    blueprint: Blueprint,
    arrays: Mapping[str, Array],
    dtype: str,
    seed: int,
    epochs: int | None = None,
    most_steps: int | None = None,
    most_numbers: float = math.inf,
) -> Training:
    """Return the training of a blueprint, whose arrays are given.

    `epochs` is None for as many as the workload says; `most_steps` limits those of an epoch. The
    steps that are taken apart are so few that they consist of `most_numbers`, but one at the least.
    """
    own = {key.partition("/")[2]: array for key, array in arrays.items() if key[:4] == "own/"}
    initial, unknown = initial_weights(blueprint, own, seed)
    data = {each.name: arrays[each.name] for each in blueprint.data}
    count = len(data[blueprint.data[0].name])
    permutations = orders(blueprint, count, epochs or blueprint.epochs, most_steps, seed)
    steps = -(-len(permutations[0]) // blueprint.batch_size)
    first = [(1, step) for step in range(1, min(FIRST_STEPS, steps) + 1)]
    last = [(epoch, steps) for epoch in range(1, len(permutations) + 1)]
    points = tuple(dict.fromkeys([*first, *last]))
    # The last one has most of the training before it.
    points = points[-max(1, int(min(len(points), most_numbers // blueprint.step_numbers))) :]
    return Training(blueprint, data, initial, unknown, tuple(permutations), points, dtype)


def by_textbook(network: Network, training: Training) -> Reference:
    """Return the NumPy reference of a network that it covers."""
    exact = _train(network, training, Arithmetic())
    random = RandomRounding(UNIT_ROUNDOFF[training.dtype], REPLICAS)
    replicas = _apart(network, training, exact, random) | _freely(network, training, exact, random)
    return _shaped(network, training, exact, _spread(exact, replicas))


def by_consensus(recordings: Sequence[Mapping[str, Array]]) -> Reference:
    """Return the median of what several backends recorded in float64, nothing of none."""
    arrays, spread = {}, {}
    for key in recordings[0] if recordings else ():
        several = [np.asarray(each[key]) for each in recordings if key in each]
        same = [each for each in several if each.shape == several[0].shape]
        middle = _median(_exact_ones(same)).astype(several[0].dtype)
        if key.startswith(SPREAD):
            spread[Place.from_key(key.removeprefix(SPREAD))] = middle
        else:
            arrays[Place.from_key(key)] = middle
    for place in spread:
        if is_of_training(place):
            spread[place] = np.asarray(spread[place].max())
    return Reference(arrays, spread)


def _exact_ones(several: Sequence[Array]) -> Array:
    """Return those that weren't computed in float32, where some were and both say the same.

    In float64, a result whose every number float32 has as well was computed in float32.
    """
    exact = [array for array in several if not is_single(array)]
    if 0 < len(exact) < len(several):
        middle = np.median(several, axis=0)
        distance = np.abs(np.median(exact, axis=0) - middle).max(initial=0.0)
        if distance <= SAME_BUT_SINGLE * largest_number(middle):
            return np.stack(exact)
    return np.stack(several)


def is_single(array: Array) -> bool:
    """Tell whether float32 has every number of an array of float64."""
    with np.errstate(over="ignore"):
        return array.dtype == np.float64 and bool(np.all(array == array.astype(np.float32)))


def _median(several: Array) -> Array:
    """Return the median over the first axis of those that are finite.

    Where there are none it is infinite, and no number if most are none: what only one backend has
    a number for may be right on that one.
    """
    finite = np.isfinite(several)
    if finite.all():
        return np.asarray(np.median(several, axis=0))
    any_finite, none = finite.any(axis=0), np.isnan(several)
    numbers = np.nanmedian(np.where(finite, several, np.where(any_finite, np.nan, 0.0)), axis=0)
    other = np.median(np.where(none, np.inf, several), axis=0)
    other = np.where(2 * none.sum(axis=0) > len(several), np.nan, other)
    return np.where(any_finite, numbers, other)


def widened(
    reference: Reference,
    seen: Sequence[Mapping[Place, Array]],
    own: Sequence[Mapping[Place, Array]],
    dtype: str,
) -> Reference:
    """Return a consensus whose spread is at least what the middle backend's own rounding is.

    That is the distance of what a backend has `seen` in this precision to its `own` float64
    run: it shows what no random rounding of a stage's inputs does, constants that are rounded,
    say. No other backend has a part in it, and one that has no numbers where the reference has some
    has none either. A gradient that is
    zero but for rounding, as that of a bias before a normalization, is measured by the other
    gradients of its step, and so is what the optimizer makes of it. All of it is widened by
    `COARSENESS`.
    """
    spread = dict(reference.spread)
    sizes = scales(reference)
    for place, known in reference.spread.items():
        numbers = np.isfinite(reference.arrays[place])
        distances = sorted(
            distance
            for rough, exact in zip(seen, own, strict=True)
            if place in rough
            and place in exact
            and rough[place].shape == exact[place].shape == numbers.shape
            and math.isfinite(distance := _largest_distance(rough[place], exact[place], numbers))
        )
        middle = distances[len(distances) // 2] if distances else 0.0
        least = UNIT_ROUNDOFF[dtype] * sizes[scaled_alike(place)]
        spread[place] = COARSENESS * np.maximum(known, max(middle, least))
    return Reference(reference.arrays, spread)


def _largest_distance(rough: Array, exact: Array, numbers: Array) -> float:
    """Return the largest distance among the elements that are numbers in the reference."""
    with np.errstate(invalid="ignore"):
        distances = np.abs(np.asarray(rough, "float64") - exact)
    return float(distances.max(initial=0.0, where=numbers))


def scales(reference: Reference) -> dict[tuple[int, int, str, str], float]:
    """Return the size of the largest element among places that are `scaled_alike`."""
    sizes: dict[tuple[int, int, str, str], float] = {}
    for place in reference.spread:
        size = largest_number(reference.arrays[place])
        sizes[scaled_alike(place)] = max(size, sizes.get(scaled_alike(place), 0.0))
    return sizes


def largest_number(array: Array) -> float:
    """Return the largest magnitude among an array's finite elements, 0 where it has none."""
    return float(np.abs(array).max(initial=0.0, where=np.isfinite(array)))


def scaled_alike(place: Place) -> tuple[int, int, str, str]:
    """Return what places have in common whose values come from one gradient."""
    whole = place.stage in (WEIGHT_GRADIENT, GRADIENT)
    slot = place.subject.rpartition("_")[2] if place.subject.startswith("optimizer/") else None
    return place.epoch, place.step, place.stage, "" if whole else slot or place.subject


def by_departure(
    network: Network,
    training: Training,
    reference: Reference,
    arithmetic: type[RandomRounding],
    freely: bool,
) -> Reference:
    """Return the same by another arithmetic, each stage fed by the reference as it was.

    The free training, which takes longest, is left out unless `freely`.
    """
    ways = [_apart, _freely] if freely else [_apart]
    centre: dict[Place, Array] = {}
    replicas: dict[Place, Array] = {}
    for way in ways:
        exact = way(network, training, reference.arrays, arithmetic(0.0, 1))
        centre |= {place: array[0] for place, array in exact.items()}
        random = arithmetic(UNIT_ROUNDOFF[training.dtype], REPLICAS)
        replicas |= way(network, training, reference.arrays, random)
    return _shaped(network, training, centre, _spread(centre, replicas))


def _spread(centre: Mapping[Place, Array], replicas: Mapping[Place, Array]) -> dict[Place, Array]:
    spread = {}
    for place, several in replicas.items():
        moved = np.abs(several - centre[place]).max(axis=0)
        # A training as a whole is chaotic: which element moves most is up to chance.
        spread[place] = np.asarray(moved.max()) if is_of_training(place) else moved
    return spread


def _shaped(
    network: Network,
    training: Training,
    arrays: Mapping[Place, Array],
    spread: Mapping[Place, Array],
) -> Reference:
    """Give the arrays the shapes they have in Keras; the reference's have two axes at least."""
    shapes = {weight.path: weight.shape for weight in training.blueprint.weights}
    shapes |= {path: shapes[weight] for (_, weight), path in network.slots.items()}
    shapes |= {THE_LOSS: (), network.iterations: (), network.learning_rate: ()}
    own_shape = (LOSS_GRADIENT, LOGITS)

    def shaped(place: Place, array: Array) -> Array:
        if place.stage in own_shape or place.subject not in shapes or array.ndim == 0:
            return array
        return array.reshape(shapes[place.subject])

    start = {Place(0, 0, INITIAL_WEIGHTS, path): array for path, array in training.initial.items()}
    return Reference(
        start | {place: shaped(place, array) for place, array in arrays.items()},
        {place: np.zeros(()) for place in start}
        | {place: shaped(place, array) for place, array in spread.items()},
    )


def is_of_training(place: Place) -> bool:
    """Tell whether a place belongs to the free training and not to a step taken apart."""
    return place.stage in (RUNNING_LOSS, EPOCH_LOSS, EPOCH_END)


def _freely(
    network: Network, training: Training, given: Mapping[Place, Array], arithmetic: Arithmetic
) -> dict[Place, Array]:
    """Train, each step fed by the one before."""
    trained = _train(network, training, arithmetic)
    return {place: array for place, array in trained.items() if is_of_training(place)}


def _apart(
    network: Network, training: Training, given: Mapping[Place, Array], arithmetic: Arithmetic
) -> dict[Place, Array]:
    """Carry out the stages of each point by themselves, fed by what is given."""
    seen: dict[Place, Array] = {}
    for epoch, step in training.points:
        fed: Step = {
            (place.stage, place.subject): array
            for place, array in given.items()
            if (place.epoch, place.step) == (epoch, step)
        }
        x, y = training.batch(epoch, step)
        apart = stages_apart(network, fed, x, y, arithmetic)
        seen |= {Place(epoch, step, *about): array for about, array in apart.items()}
    return seen


def _train(network: Network, training: Training, arithmetic: Arithmetic) -> dict[Place, Array]:
    return train(
        network,
        training.initial,
        training.x,
        training.y,
        training.orders,
        training.blueprint.batch_size,
        training.points,
        arithmetic,
    )
