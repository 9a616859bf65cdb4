"""Makes data up from the shapes of a model's inputs and outputs, the same on every backend."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_bench.loops.keras_private import inbound_nodes, layers_of
from keras_bench.worker.data import Data, batch_size, before_validation, examples_per_epoch
from keras_bench.worker.protocol import Refusal
from keras_bench.worker.refusals import refusal

#: At least so many examples to train on, as whole batches, so that all steps are alike.
LEAST_EXAMPLES = 1000

#: The size of a dimension that the model leaves open, such as the length of a text.
OPEN_SIZE = 32

#: Whole numbers are below this where no Embedding says how many there may be.
WHOLE_NUMBERS = 2

REMEDY = "write data(seed)"


def make_random_data(keras: Any, model: Any, fit_settings: Mapping[str, Any], seed: int) -> Data:
    """Return data that fit a compiled model; raise Refusal where it doesn't tell its shapes."""
    inputs = _inputs(model)
    tree = keras.tree
    batch = batch_size(fit_settings)
    steps = fit_settings.get("steps_per_epoch") or math.ceil(LEAST_EXAMPLES / batch)
    count = _examples_for(batch * steps, fit_settings)
    random = np.random.default_rng(seed)
    tokens = _whole_number_inputs(model)
    limit = min((each.input_dim for each in _embeddings(model)), default=WHOLE_NUMBERS)

    def draw(tensor: Any) -> np.ndarray:
        size = (count, *_closed(tensor.shape))
        if tensor.dtype == "string":
            raise Refusal("workload", "has no data(), and text can't be made up", REMEDY)
        if tensor.dtype == "bool":
            return random.integers(0, 2, size).astype("bool")
        if "int" in tensor.dtype or id(tensor) in tokens:
            return random.integers(0, limit, size).astype(tensor.dtype)
        return _normal(random, size)

    x = tree.map_structure(draw, inputs)
    y = _targets(keras, model, inputs, count, random)
    text = f"{count} examples of random data"
    if any(size is None for tensor in tree.flatten(inputs) for size in tensor.shape[1:]):
        text += f", {OPEN_SIZE} long where the model leaves the size open"
    return Data(x, y, None, examples_per_epoch(count, fit_settings), text)


def random_targets(loss: Any, shape: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Return what a loss can compare with an output of this shape.

    Args:
        loss: as the model is compiled with it: a name, a function or an object.
        shape: of the output, the examples first.
        random: draws it.
    """
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    kind = name.replace("_", "").lower()
    if kind.startswith("sparse"):
        return random.integers(0, shape[-1], shape[:-1]).astype("int32")
    if kind.startswith(("categorical", "kl")):
        chosen = random.integers(0, shape[-1], shape[:-1])
        return np.asarray(np.eye(shape[-1], dtype="float32")[chosen])
    if kind.startswith("binary"):
        return random.integers(0, 2, shape).astype("float32")
    return _normal(random, shape)


def _examples_for(trained: int, fit_settings: Mapping[str, Any]) -> int:
    """Return the fewest examples of which so many come before those for validation."""
    counts = itertools.count(trained)
    return next(each for each in counts if before_validation(each, fit_settings) >= trained)


def _inputs(model: Any) -> Any:
    """Return the structure of a model's inputs, a symbolic tensor each."""
    # A model of its own class has none, a Sequential one without an Input not yet.
    flat = getattr(model, "inputs", None)
    if not flat:
        reason = "has no data(), and its model doesn't tell the shape of its inputs"
        raise Refusal("workload", reason, REMEDY)
    return getattr(model, "_inputs_struct", flat[0] if len(flat) == 1 else flat)


def _targets(keras: Any, model: Any, inputs: Any, count: int, random: np.random.Generator) -> Any:
    """Return targets in the structure of the outputs; None for a model without a loss."""
    if model.loss is None:
        return None

    def with_sizes(tensor: Any) -> Any:
        return keras.KerasTensor((None, *_closed(tensor.shape)), tensor.dtype)

    try:
        outputs = model.compute_output_spec(keras.tree.map_structure(with_sizes, inputs))
    except Exception as error:
        raise refusal(f"has no data(), and with inputs {OPEN_SIZE} long raises", error) from error
    names = getattr(model, "output_names", [])
    flat = keras.tree.flatten(outputs)
    losses = _losses(keras, model.loss, outputs, names)
    targets = [
        random_targets(loss, (count, *_closed(output.shape)), random)
        for output, loss in zip(flat, losses, strict=True)
    ]
    return keras.tree.pack_sequence_as(outputs, targets)


def _losses(keras: Any, loss: Any, outputs: Any, names: Sequence[str]) -> list[Any]:
    """Return the loss of each output, in their order."""
    count = len(keras.tree.flatten(outputs))
    if isinstance(loss, Mapping):
        keys = sorted(outputs) if isinstance(outputs, Mapping) else names
        return [loss.get(key) for key in keys]
    if isinstance(loss, list | tuple) and len(loss) == count:
        return list(loss)
    return [loss] * count


def _embeddings(layer: Any) -> list[Any]:
    """Return the Embeddings of a layer, a model or any other."""
    return [each for each in layers_of(layer) if hasattr(each, "input_dim")]


def _whole_number_inputs(model: Any) -> set[int]:
    """Return the identities of the inputs that go to an Embedding, or a layer that holds one.

    An Embedding takes what it gets as whole numbers, whatever the type of the input is.
    """
    return {
        id(tensor)
        for layer in model.layers
        if _embeddings(layer)
        for node in inbound_nodes(layer)
        for tensor in node.input_tensors
    }


def _closed(shape: Sequence[int | None]) -> tuple[int, ...]:
    """Return the sizes of an example, those that are left open too."""
    return tuple(OPEN_SIZE if size is None else size for size in shape[1:])


def _normal(random: np.random.Generator, size: Sequence[int]) -> np.ndarray:
    return random.standard_normal(tuple(size), dtype="float32")
