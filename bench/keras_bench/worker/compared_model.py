"""What a worker finds out of a model, and changes in it, before its training is compared."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_bench.loops.keras_private import layers_of
from keras_bench.worker.blueprint import random_layers, takes_training
from keras_bench.worker.calls import calls
from keras_bench.worker.compared_data import Examples
from keras_bench.worker.gradients import Gradients
from keras_bench.worker.protocol import Refusal
from keras_bench.worker.stages import read


def numbers_of_step(keras: Any, gradients: Gradients, model: Any, x: Any) -> int:
    """Return how many numbers the step of a batch has: variables, and in and out of layers."""
    made, _ = calls(keras, gradients, model, x, training=False)
    tensors = [tensor for call in made for tensor in (*call.inputs, *call.outputs)]
    variables = (*model.weights, *model.optimizer.variables)
    return int(sum(math.prod(array.shape) for array in (*tensors, *variables)))


def kept_variables(keras: Any, model: Any) -> list[tuple[Any, np.ndarray]]:
    """Return the variables that layers keep beside the model's, with their values.

    A stateful layer's states are such: the model doesn't count them among its variables.
    """
    known = {id(variable) for variable in model.variables}
    attributes = [vars(layer).values() for layer in layers_of(model)]
    found = {
        id(leaf): leaf
        for values in attributes
        for value in values
        if isinstance(value, keras.Variable | list | tuple)
        for leaf in keras.tree.flatten(value)
        if isinstance(leaf, keras.Variable) and id(leaf) not in known
    }
    return [(variable, read(keras, variable)) for variable in found.values()]


def make_metrics_of_losses(model: Any, batch: Examples) -> None:
    """Compute the loss once: those of several outputs make their metrics where they first are."""
    model.compute_loss(
        x=batch.x, y=batch.y, y_pred=model(batch.x), sample_weight=batch.sample_weight
    )


def unused_gradients(keras: Any, gradients: Gradients, model: Any, x: Any) -> frozenset[str]:
    """Return the names of what goes into layers and depends on no weight.

    No training asks for the gradient by it. It is found by other weights: what they leave as it is
    doesn't depend on them.
    """
    weights = model.trainable_variables
    start = [read(keras, weight) for weight in weights]
    randomness = np.random.default_rng(0)

    def inputs() -> dict[str, np.ndarray]:
        made, _ = calls(keras, gradients, model, x, training=False)
        return {
            name: np.array(keras.ops.convert_to_numpy(tensor))
            for call in made
            for name, tensor in zip(call.input_names(), call.inputs, strict=True)
        }

    before = inputs()
    for weight, known in zip(weights, start, strict=True):
        factor, summand = randomness.normal(size=(2, *known.shape))
        weight.assign(known * factor + summand)
    after = inputs()
    for weight, known in zip(weights, start, strict=True):
        weight.assign(known)
    return frozenset(
        name
        for name, array in before.items()
        if name in after and np.array_equal(array, after[name], equal_nan=array.dtype.kind == "f")
    )


def hand_batches_as_fit_does(model: Any) -> None:
    """Let `train_on_batch` give a model's `train_step` the pair (x, y), as `fit` gives it.

    By itself it adds None for the weights that there aren't, which a `train_step` of one's own
    needn't expect.
    """
    original = model.train_step

    def train_step(*args: Any) -> Any:
        *state, data = args
        return original(*state, data[:2] if len(data) == 3 and data[2] is None else data)

    model.train_step = train_step


def refuse_half_precision(model: Any) -> None:
    """Raise Refusal where a layer computes in 16 bits."""
    for layer in layers_of(model):
        if layer.compute_dtype in ("bfloat16", "float16"):
            raise Refusal(
                "unchecked",
                f"{layer.name} computes in {layer.compute_dtype}, whose rounding hides everything",
                "let it compute in float32 to have it checked",
            )


@contextmanager
def random_layers_off(model: Any) -> Iterator[None]:
    """Let layers that draw random numbers behave as in inference: backends draw differently."""
    layers = random_layers(model)
    for layer in layers:
        if layer is model or not takes_training(layer):
            raise Refusal(
                "unchecked",
                f"{layer.name} draws random numbers that can't be switched off by training=False",
                "let its call() take training to have it checked",
            )
    originals = [layer.call for layer in layers]

    def silent(original: Any) -> Any:
        return lambda *args, **kwargs: original(*args, **kwargs | {"training": False})

    for layer, original in zip(layers, originals, strict=True):
        layer.call = silent(original)
    try:
        yield
    finally:
        for layer, original in zip(layers, originals, strict=True):
            layer.call = original
