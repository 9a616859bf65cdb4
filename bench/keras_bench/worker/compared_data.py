"""The data of a workload as they are compared: cast to the precision of a check, batch by batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_bench.loops.keras_private import converted
from keras_bench.worker.data import Data, before_validation, leaves
from keras_bench.worker.preparing import Prepared
from keras_bench.worker.protocol import ComparedRequest, Refusal

#: The kinds of NumPy's data types that backends compute with: truth values, integers, and floats.
NUMBERS = "biuf"


@dataclass(frozen=True)
class Examples:
    """Examples with their targets and weights: arrays, or dicts, lists and tuples of arrays.

    `y` and `sample_weight` are None where there are none. `class_weight` is that of FIT, which
    only `Model.fit` itself takes; `weighted` has it in `sample_weight`. `tree` is `keras.tree`.
    """

    tree: Any
    x: Any
    y: Any
    sample_weight: Any
    class_weight: Any = None

    def __len__(self) -> int:
        return len(self.arrays()[0])

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """The arguments of `Model.fit` that are data, or weigh them."""
        given = {
            "x": self.x,
            "y": self.y,
            "sample_weight": self.sample_weight,
            "class_weight": self.class_weight,
        }
        return {name: each for name, each in given.items() if each is not None}

    @property
    def weighted(self) -> "Examples":
        """The same with the weights of classes as weights of examples, as `fit` has them."""
        if self.class_weight is None or self.sample_weight is not None:
            return self
        *_, weights = converted(self.x, self.y, None, self.class_weight)
        return Examples(self.tree, self.x, self.y, np.asarray(weights))

    def at(self, places: np.ndarray) -> "Examples":
        """Return those at such places, in this order."""
        return self._each(lambda array: array[places])

    def first(self, count: int) -> "Examples":
        """Return so many of the first."""
        return self._each(lambda array: array[:count])

    def arrays(self) -> list[Any]:
        """Return all arrays, those of x before those of y and of the weights."""
        return [leaf for leaf in self.tree.flatten(self._structure) if leaf is not None]

    def named(self) -> dict[str, np.ndarray]:
        """Return all arrays by how each is reached: "x", or "x['words']"."""
        x, y, sample_weight = self._structure
        parts = (("x", x), ("y", y), ("sample_weight", sample_weight))
        return {name: array for part in parts for name, array in leaves(*part)}

    def packed(self, tensors: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return x, y and the weights with tensors in the place of `arrays`."""
        left = iter(tensors)
        flat = [None if leaf is None else next(left) for leaf in self.tree.flatten(self._structure)]
        packed: tuple[Any, Any, Any] = self.tree.pack_sequence_as(self._structure, flat)
        return packed

    @property
    def _structure(self) -> tuple[Any, Any, Any]:
        return self.x, self.y, self.sample_weight

    def _each(self, act: Callable[[np.ndarray], np.ndarray]) -> "Examples":
        return Examples(self.tree, *self.packed(list(map(act, self.arrays()))), self.class_weight)


def compared_examples(prepared: Prepared, request: ComparedRequest) -> Examples:
    """Return what a workload trains on, without what it validates on.

    Raises:
        Refusal: for data that can't be taken apart here.
    """
    data, tree = prepared.data, prepared.keras.tree
    _refuse_no_arrays(data)
    given = Examples(tree, data.x, data.y, data.sample_weight)
    cast = given.packed([_cast(array, request) for array in given.arrays()])
    examples = Examples(tree, *cast, prepared.parts.fit.get("class_weight"))
    return examples.first(before_validation(len(examples), prepared.parts.fit))


def _refuse_no_arrays(data: Data) -> None:
    """Raise Refusal for what isn't arrays of numbers."""
    if data.is_source:
        reason = f"data() returns a {type(data.x).__name__}"
        raise Refusal("unchecked", f"parity compares trainings on arrays, and {reason}")
    for part, structure in (("x", data.x), ("y", data.y), ("sample_weight", data.sample_weight)):
        for name, array in leaves(part, structure):
            if (kind := np.asarray(array).dtype.kind) not in NUMBERS:
                what = "Python objects" if kind == "O" else "texts or times"
                reason = f"its data have {what} in {name}"
                raise Refusal("unchecked", f"parity compares trainings on numbers, and {reason}")


def _cast(data: Any, request: ComparedRequest) -> np.ndarray:
    array: np.ndarray = np.asarray(data)
    if array.dtype.kind != "f":
        return array
    return array.astype(request.data_dtype).astype(request.dtype)
