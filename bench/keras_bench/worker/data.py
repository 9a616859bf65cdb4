"""What a model is trained on: arrays, or a source that makes batches itself."""

import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from keras_bench.worker.protocol import Refusal
from keras_bench.worker.refusals import refusal
from keras_bench.worker.workload import Parts

#: Keras's own source: batches by their number, and it tells how many there are.
PY_DATASET = ("PyDataset", "keras")

#: What `Model.fit` takes in the place of arrays: a class's name, and the package it is from.
SOURCES = {
    PY_DATASET,
    ("DatasetV2", "tensorflow"),
    ("DataLoader", "torch"),
    ("DataLoader", "grain"),
    ("MapDataset", "grain"),
    ("IterDataset", "grain"),
}

#: Keras's own, where FIT names none.
BATCH_SIZE = 32

#: Of a source that doesn't tell how long it is: one with more batches than that is taken for
#: endless, before the time of its worker is over.
MOST_BATCHES = 100_000

#: What is to be done about a source without an end.
END = "set steps_per_epoch in FIT"


@dataclass(frozen=True)
class Data:
    """What `Model.fit` is given, and how many examples an epoch of it trains on.

    `x`, `y` and `sample_weight` are arrays, or dicts, lists and tuples of arrays, all of one
    length; or `x` is a source, which holds the others too. `y` and `sample_weight` are None where
    there is none. `random_data` says what was made up, where the workload has no data of its own.
    """

    x: Any
    y: Any
    sample_weight: Any
    examples: int
    random_data: str = ""

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """The arguments of `Model.fit` that are data."""
        given = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}
        return {name: each for name, each in given.items() if each is not None}

    @property
    def is_source(self) -> bool:
        """Whether x makes batches itself."""
        return is_source(self.x)


def make_data(parts: Parts, seed: int) -> Data | None:
    """Return the data of the workload, or None where it has no data().

    A source is gone through once, as far as an epoch goes, to count its examples.
    """
    if parts.data is None:
        return None
    try:
        found = parts.data(seed)
    except Exception as error:
        raise refusal(f"data({seed}) raises", error) from error
    if is_source(found):
        return _of_source(found, parts)
    if isinstance(found, Iterator):
        kind = "generator" if inspect.isgenerator(found) else f"{type(found).__name__}, an iterator"
        reason = f"data() returns a {kind}, which is spent after one epoch"
        raise Refusal("workload", reason, "return arrays or a keras.utils.PyDataset")
    if not isinstance(found, tuple) or len(found) not in (2, 3):
        raise Refusal(
            "workload",
            f"data() returns a {type(found).__name__}, and no pair of arrays (x, y)",
            "return that, (x, y, sample_weight), or a source such as a keras.utils.PyDataset",
        )
    x, y, sample_weight = (*found, None)[:3]
    if parts.fit.get("sample_weight") is not None:
        if sample_weight is not None:
            raise Refusal("workload", "data() returns sample_weight, and FIT sets it, too")
        sample_weight = parts.fit["sample_weight"]
    examples = examples_per_epoch(_length(x, y, sample_weight), parts.fit)
    return Data(x, y, sample_weight, examples)


def examples_per_epoch(examples: int, fit_settings: Mapping[str, Any]) -> int:
    """Return how many of so many examples in arrays an epoch trains on."""
    trained = before_validation(examples, fit_settings)
    steps = fit_settings.get("steps_per_epoch")
    if steps is None or fit_settings.get("batch_size") is None:
        return trained  # Of steps without a size, Keras makes batches that hold them all.
    size = batch_size(fit_settings)
    batches = math.ceil(trained / size)
    # It goes on with the next batches, and where none is left the epoch is over.
    if steps < batches and batches % steps:
        reason = f"steps_per_epoch={steps} doesn't divide the {batches} batches of data()"
        raise Refusal(
            "workload", f"{reason}, so some epochs are shorter; leave it out, or change it"
        )
    return min(trained, int(steps) * size)


def before_validation(examples: int, fit_settings: Mapping[str, Any]) -> int:
    """Return how many of so many examples in arrays come before those that Keras validates on."""
    share = fit_settings.get("validation_split") or 0.0
    if fit_settings.get("validation_data") is not None:
        share = 0.0
    if not isinstance(share, int | float) or not 0.0 <= share < 1.0:
        reason = f"validation_split is {share!r} instead of a number from 0 to below 1"
        raise Refusal("workload", reason)
    return math.floor(examples * (1.0 - share))  # As train_validation_split of Keras has it.


def batch_size(fit_settings: Mapping[str, Any]) -> int:
    """Return the examples of a batch where the data are arrays."""
    size = fit_settings.get("batch_size")
    if size is None:
        return BATCH_SIZE
    if not isinstance(size, int) or size < 1:
        raise Refusal("workload", f"batch_size is {size!r} instead of a whole number above 0")
    return size


def is_source(found: Any) -> bool:
    """Tell whether it makes batches itself, as Keras tells it: nothing need be imported."""
    return bool(_kinds(found) & SOURCES)


def leaves(name: str, structure: Any) -> Iterator[tuple[str, Any]]:
    """Yield each array of dicts, lists and tuples of them, with how it is reached from a name."""
    if isinstance(structure, Mapping):
        for key, each in structure.items():
            yield from leaves(f"{name}[{key!r}]", each)
    elif isinstance(structure, list | tuple):
        for index, each in enumerate(structure):
            yield from leaves(f"{name}[{index}]", each)
    elif structure is not None:
        yield name, structure


def _length(x: Any, y: Any, sample_weight: Any) -> int:
    """Return the number of examples in arrays; raise Refusal where they aren't of one length."""
    named = (("x", x), ("y", y), ("sample_weight", sample_weight))
    arrays = [leaf for name, structure in named for leaf in leaves(name, structure)]
    for name, array in arrays:
        if not getattr(array, "shape", ()):
            raise Refusal("workload", f"data() returns {name} as {type(array).__name__}, no array")
    if not any(True for _ in leaves("x", x)):
        raise Refusal("workload", "data() returns no x")
    (first, one), *others = arrays
    for name, array in others:
        if len(array) != len(one):
            raise Refusal("workload", f"data() returns {len(one)} {first} and {len(array)} {name}")
    if len(one) == 0:
        raise Refusal("workload", "data() returns no examples")
    return len(one)


def _of_source(source: Any, parts: Parts) -> Data:
    assert parts.data is not None
    kind = type(source).__name__
    # Keras takes no notice of it, so each of `--set batch_size=32,64` would be the same.
    if parts.fit.get("batch_size") is not None and "batch_size" not in parts.data.keywords:
        reason = f"batch_size is set, and data() returns a {kind}, which makes the batches"
        raise Refusal("workload", reason, "leave batch_size out")
    steps = parts.fit.get("steps_per_epoch")
    try:
        most = _most_batches(source) if steps is None else steps
        examples = 0
        for number, batch in enumerate(_batches(source, steps), start=1):
            if number > most:
                raise Refusal("workload", f"the {kind} of data() gives no end", END)
            examples += _batch_length(batch)
    except Refusal:
        raise
    except Exception as error:
        raise refusal(f"going through the {kind} of data() raises", error) from error
    if examples == 0:
        raise Refusal("workload", f"data() returns a {kind} of no examples")
    return Data(source, None, None, examples)


def _most_batches(source: Any) -> float:
    """Return how many batches a source may give in an epoch, 0 where it says it has no end."""
    if PY_DATASET in _kinds(source):
        return 0 if source.num_batches is None else math.inf
    if hasattr(source, "cardinality"):  # Of tf.data: -1 is without end, -2 is unknown.
        told = int(source.cardinality())
        return {-1: 0, -2: MOST_BATCHES}.get(told, math.inf)
    return MOST_BATCHES


def _batches(source: Any, steps: int | None) -> Iterator[Any]:
    if PY_DATASET not in _kinds(source):
        return islice(source, steps)
    # By number: Keras 3.10 can't iterate over it, and Python by itself would look for an
    # IndexError, which a slice doesn't raise.
    told = source.num_batches
    numbers = count() if told is None else range(told)
    return (source[number] for number in islice(numbers, steps))


def _kinds(found: Any) -> set[tuple[str, str]]:
    """Return the names of a thing's classes, each with the package it is from."""
    return {(each.__name__, each.__module__.partition(".")[0]) for each in type(found).__mro__}


def _batch_length(batch: Any) -> int:
    return next((len(array) for _, array in leaves("batch", batch)), 0)
