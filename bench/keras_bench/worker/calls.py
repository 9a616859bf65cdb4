"""What a model's layers are called with, and what they give, in one run of the model forward."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from keras_bench.worker.blueprint import own_layers
from keras_bench.worker.gradients import Gradients

#: A layer, and what it was given and gave: args, kwargs, outputs.
Made = tuple[Any, tuple[Any, Any, Any]]


@dataclass(frozen=True)
class Call:
    """A call of a layer: its name, what it was given, and what it gave."""

    name: str
    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    def input_names(self) -> list[str]:
        """Return a name for each tensor that goes in."""
        return names(self.name, len(self.inputs))

    def output_names(self) -> list[str]:
        """Return a name for each tensor that comes out."""
        return names(self.name, len(self.outputs))


def calls(
    keras: Any, gradients: Gradients, model: Any, x: Any, training: bool = True
) -> tuple[list[Call], Any]:
    """Run the model forward, in training mode or not.

    `x` is an array, or a dict, list or tuple of arrays. Returns the calls of its own layers, in
    order, and what it predicts.
    """
    tree, is_tensor = keras.tree, keras.ops.is_tensor
    arrays = tree.flatten(x)

    def forward(*tensors: Any) -> tuple[list[Any], Any]:
        made: list[Made] = []

        def listen(layer: Any, original: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                outputs = original(*args, **kwargs)
                made.append((layer, (args, kwargs, outputs)))
                return outputs

            return call

        with calls_replaced(keras, model, listen):
            predictions = model(tree.pack_sequence_as(x, list(tensors)), training=training)
        nests = [*(nest for _, nest in made), predictions]
        return [leaf for leaf in tree.flatten(nests) if is_tensor(leaf)], (made, predictions)

    tensors, (made, predictions) = gradients.outputs(
        f"forward {training} {[array.shape for array in arrays]}",
        forward,
        [keras.ops.convert_to_tensor(array) for array in arrays],
    )
    # A compiled program calls no layers: what they got when it was compiled is given the tensors
    # of this run.
    of_this_run = iter(tensors)

    def filled(nest: Any) -> Any:
        return tree.map_structure(lambda leaf: next(of_this_run) if is_tensor(leaf) else leaf, nest)

    times: Counter[str] = Counter()
    found = []
    for layer, nest in made:
        times[layer.name] += 1
        count = times[layer.name]
        args, kwargs, outputs = filled(nest)
        inputs, results = (tuple(filter(is_tensor, tree.flatten(n))) for n in (args, outputs))
        name = layer.name if count == 1 else f"{layer.name}#{count}"
        found.append(Call(name, layer, args, kwargs, inputs, results))
    return found, filled(predictions)


@contextmanager
def calls_replaced(keras: Any, model: Any, replacement: Any) -> Iterator[None]:
    """Replace the `call` of every layer of the model for a while."""
    layers = list(own_layers(keras, model))
    originals = [layer.call for layer in layers]
    for layer, original in zip(layers, originals, strict=True):
        layer.call = replacement(layer, original)
    try:
        yield
    finally:
        for layer, original in zip(layers, originals, strict=True):
            layer.call = original


def names(name: str, count: int) -> list[str]:
    """Return a name for each of so many."""
    return [name] if count == 1 else [f"{name}:{index}" for index in range(count)]
