"""The data of a workload as they are compared: cast to the precision of a check, batch by batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_bench.worker.data import Data, before_validation
from keras_bench.worker.preparing import Prepared
from keras_bench.worker.protocol import ComparedRequest, Refusal

#: The kinds of NumPy's data types that backends compute with: truth values, integers, and floats.
NUMBERS = "biuf"


@dataclass(frozen=True)
class Examples:
    """Examples, each with its target."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """The arguments of `Model.fit` that are data."""
        return {"x": self.x, "y": self.y}

    def at(self, places: np.ndarray) -> "Examples":
        """Return those at such places, in this order."""
        return Examples(self.x[places], self.y[places])

    def first(self, count: int) -> "Examples":
        """Return so many of the first."""
        return self.at(np.arange(count))


def compared_examples(prepared: Prepared, request: ComparedRequest) -> Examples:
    """Return what a workload trains on, without what it validates on.

    Raises:
        Refusal: for data that can't be taken apart here.
    """
    x, y = (_cast(array, request) for array in _pair(prepared.data))
    trained = before_validation(len(x), prepared.parts.fit)
    return Examples(x, y).first(trained)


def _pair(data: Data) -> tuple[Any, Any]:
    """Return one array x and one array y, which is what can be taken apart here."""
    if data.is_source:
        raise Refusal("unchecked", f"data() returns a {type(data.x).__name__}")
    for name, given in (("x", data.x), ("y", data.y)):
        if given is None or isinstance(given, Mapping | list | tuple):
            kind = "no" if given is None else f"a {type(given).__name__} of"
            raise Refusal("unchecked", f"its data have {kind} {name}")
        if (kind := np.asarray(given).dtype.kind) not in NUMBERS:
            what = "Python objects" if kind == "O" else "texts or times"
            raise Refusal("unchecked", f"its data have {what} in {name}")
    if data.sample_weight is not None:
        raise Refusal("unchecked", "its examples are weighted")
    return data.x, data.y


def _cast(data: Any, request: ComparedRequest) -> np.ndarray:
    array: np.ndarray = np.asarray(data)
    if array.dtype.kind != "f":
        return array
    return array.astype(request.data_dtype).astype(request.dtype)
