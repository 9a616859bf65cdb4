"""What a model is trained on: arrays, or a source that makes batches itself."""

import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.worker.protocol import Refusal
from bench.worker.refusals import refusal
from bench.worker.workload import Parts

#: What `Model.fit` takes in the place of arrays: a class's name, and the package it is from.
SOURCES = {
    ("PyDataset", "keras"),
    ("DatasetV2", "tensorflow"),
    ("DataLoader", "torch"),
    ("DataLoader", "grain"),
    ("MapDataset", "grain"),
    ("IterDataset", "grain"),
}

#: Keras's own, where FIT names none.
BATCH_SIZE = 32


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
        raise Refusal("workload", f"{reason}; arrays or a keras.utils.PyDataset last")
    if not isinstance(found, tuple) or len(found) not in (2, 3):
        raise Refusal(
            "workload",
            f"data() returns a {type(found).__name__}; it is to return a pair of arrays (x, y),"
            " (x, y, sample_weight), or a source such as a keras.utils.PyDataset",
        )
    x, y, sample_weight = (*found, None)[:3]
    count = _length(x, y, sample_weight)
    return Data(x, y, sample_weight, examples_per_epoch(count, parts.fit))


def examples_per_epoch(count: int, fit_settings: Mapping[str, Any]) -> int:
    """Return how many of so many examples in arrays an epoch trains on."""
    trained = math.floor(count * (1.0 - validation_share(fit_settings)))
    steps = fit_settings.get("steps_per_epoch")
    return trained if steps is None else min(trained, steps * batch_size(fit_settings))


def validation_share(fit_settings: Mapping[str, Any]) -> float:
    """Return the share of the arrays, at their end, that Keras doesn't train on."""
    if fit_settings.get("validation_data") is not None:
        return 0.0
    return fit_settings.get("validation_split") or 0.0


def batch_size(fit_settings: Mapping[str, Any]) -> int:
    """Return the examples of a batch where the data are arrays."""
    return fit_settings.get("batch_size") or BATCH_SIZE


def is_source(found: Any) -> bool:
    """Tell whether it makes batches itself, as Keras tells it: nothing need be imported."""
    classes = type(found).__mro__
    return any((each.__name__, each.__module__.partition(".")[0]) in SOURCES for each in classes)


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
        raise Refusal(
            "workload", f"FIT sets batch_size, and data() returns a {kind}, which makes the batches"
        )
    steps = parts.fit.get("steps_per_epoch")
    try:
        if steps is None and _is_endless(source):
            reason = f"data() returns an endless {kind}, and FIT doesn't set steps_per_epoch"
            raise Refusal("workload", reason)
        examples = sum(_batch_length(batch) for batch in islice(source, steps))
    except Refusal:
        raise
    except Exception as error:
        raise refusal(f"going through the {kind} of data() raises", error) from error
    if examples == 0:
        raise Refusal("workload", f"data() returns a {kind} of no examples")
    return Data(source, None, None, examples)


def _is_endless(source: Any) -> bool:
    if hasattr(source, "cardinality"):  # Of tf.data, -1 is without end.
        return int(source.cardinality()) == -1
    return getattr(source, "num_batches", 0) is None


def _batch_length(batch: Any) -> int:
    return next((len(array) for _, array in leaves("batch", batch)), 0)
