"""What a worker tells of a workload's model: enough to train the same without Keras."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """A layer, an initializer, an optimizer or a loss: its kind, and what configures it.

    `kind` is "keras.<class>" for Keras's own, and "<module>.<class>" for anybody else's.
    """

    kind: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """A layer of the model, with the paths of its weights."""

    name: str
    part: Part
    weights: tuple[str, ...]


@dataclass(frozen=True)
class Weight:
    """A variable of a layer; `initializer` is None where no configuration names it."""

    path: str
    shape: tuple[int, ...]
    trainable: bool
    initializer: Part | None


@dataclass(frozen=True)
class DataArray:
    """An array of the data: how it is reached ("x", "y['words']"), its shape, what is in it."""

    name: str
    shape: tuple[int, ...]
    sha256: str


@dataclass(frozen=True)
class Blueprint:
    """A compiled model, its data and how it is fitted, as one backend built them.

    `model` is the class of the model, `dtype` the precision it is built in, `losses` are its
    losses (one, for most), and `optimizer_variables` the paths of the optimizer's. `arrays_file`
    holds the arrays of `data`, each under its name, and the weights as the backend initialised
    them, each under "own/<path>".
    `step_numbers` are how many a step consists of: its variables, and what goes into and comes out
    of layers. `random_layers` have been switched off, and `left_out` says what else of the workload
    isn't compared.
    """

    model: str
    dtype: str
    layers: tuple[Layer, ...]
    weights: tuple[Weight, ...]
    optimizer: Part
    optimizer_variables: tuple[str, ...]
    losses: tuple[Part, ...]
    batch_size: int
    epochs: int
    shuffle: bool
    data: tuple[DataArray, ...]
    arrays_file: str
    step_numbers: int
    random_layers: tuple[str, ...]
    left_out: tuple[str, ...]
