"""One training step taken apart: each stage by itself, fed by arrays from outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from keras_bench.loops.keras_private import added_losses, layers_of
from keras_bench.parity.places import (
    BEFORE,
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    PREDICTIONS,
    SPREAD,
    STEP,
    THE_LOSS,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.worker.blueprint import (
    value,
    variable_names,
)
from keras_bench.worker.calls import Call, calls, calls_replaced, names
from keras_bench.worker.compared_data import Examples
from keras_bench.worker.gradients import Gradients
from keras_bench.worker.protocol import Script

Arrays = Mapping[str, np.ndarray]
Seen = dict[str, np.ndarray]

LEARNING_RATE = "optimizer/learning_rate"


@dataclass(frozen=True)
class Subject:
    """What is observed: a built model with its data, and the script to train it by."""

    keras: Any
    gradients: Gradients
    model: Any
    examples: Examples
    script: Script
    unused_gradients: frozenset[str]
    """Names of what goes into layers, by which a training needs no gradient."""

    kept: Sequence[tuple[Any, np.ndarray]]
    """Variables that layers keep to themselves, each with its value in a model just built."""

    @property
    def variables(self) -> list[Any]:
        """The weights and the optimizer's variables."""
        return [*self.model.weights, *self.model.optimizer.variables]

    @cached_property
    def _names(self) -> dict[int, str]:
        return variable_names(self.model)

    def name(self, variable: Any) -> str:
        """Return the name by which the coordinator knows a variable."""
        return self._names[id(variable)]

    def read(self, variable: Any) -> np.ndarray:
        """Return a copy of a variable's value."""
        return read(self.keras, variable)

    def array(self, tensor: Any) -> np.ndarray:
        """Return a copy of a tensor's value."""
        return _plain(np.array(self.keras.ops.convert_to_numpy(tensor)))

    def cast(self, array: np.ndarray) -> np.ndarray:
        """Return an array of numbers in the precision of the training, integers as they are."""
        return array.astype(self.keras.config.floatx()) if array.dtype.kind == "f" else array

    def batch(self, order: np.ndarray, step: int) -> Examples:
        """Return the examples of a step, counted from 1, of an epoch in this order."""
        size = self.script.batch_size
        return self.examples.at(order[(step - 1) * size : step * size])

    def loss(self, predictions: Any, batch: Examples, tensors: Sequence[Any]) -> Any:
        """Return the loss of predictions for a batch, whose arrays are these tensors."""
        x, y, weight = batch.packed(tensors)
        return self.model.compute_loss(x=x, y=y, y_pred=predictions, sample_weight=weight)

    def train_on(self, batch: Examples) -> np.ndarray:
        """Train a step, and return the loss that it tells."""
        told = self.model.train_on_batch(
            batch.x, batch.y, sample_weight=batch.sample_weight, return_dict=True
        )
        return np.array(float(told["loss"]))


def observe_step(subject: Subject, given: Arrays, epoch: int, step: int) -> Seen:
    """Return what every stage of a step gives when it is fed with what is given.

    Stages: the output of each layer; the loss and its gradient; the gradients by each layer's
    inputs and weights, from the gradient by its outputs; the gradient by each weight through
    the whole model; the weights and the optimizer's state after an update by given gradients;
    and the whole training step, by `train_on_batch`.
    """

    def key(stage: str, about: str = THE_LOSS) -> str:
        return Place(epoch, step, stage, about).key

    model = subject.model
    batch = subject.batch(given[f"order/{epoch}"], step)
    seen: Seen = {}

    set_state(subject, given, epoch, step)
    made, predicted = calls(subject.keras, subject.gradients, model, batch.x)
    set_state(subject, given, epoch, step)
    for call in made:
        inputs = [subject.cast(given[key(LAYER_INPUT, name)]) for name in call.input_names()]
        cotangents = [
            subject.cast(given[key(OUTPUT_GRADIENT, name)]) for name in call.output_names()
        ]
        weights = call.layer.trainable_variables
        outputs, by_inputs, by_weights = _repeat(subject, call, inputs, weights, cotangents)
        for name, output in zip(call.output_names(), outputs, strict=True):
            seen[key(FORWARD, name)] = subject.array(output)
        for name, gradient in by_inputs.items():
            if name not in subject.unused_gradients:
                seen[key(INPUT_GRADIENT, name)] = gradient
        for weight, gradient in zip(weights, by_weights, strict=True):
            seen[key(WEIGHT_GRADIENT, subject.name(weight))] = _or_zeros(
                subject, gradient, weight.shape
            )

    # The loss from the last layer's logits, where they are given: Keras treats softmax and
    # cross-entropy as one on some backends, which it can tell only behind the activation.
    logits = key(LOGITS) in given
    outputs = _output_names(subject, predicted)
    fed = [given[key(LOGITS if logits else PREDICTIONS, output)] for output in outputs]
    activation = made[-1].layer.activation if logits else None

    def loss_of(*tensors: Any) -> list[Any]:
        leaves, data = tensors[: len(outputs)], tensors[len(outputs) :]
        predictions = subject.keras.tree.pack_sequence_as(predicted, list(leaves))
        return [subject.loss(activation(predictions) if activation else predictions, batch, data)]

    set_state(subject, given, epoch, step)
    # A loss that is added in a call can't be had without the call.
    if not any(map(added_losses, layers_of(model))):
        (loss,), gradients, _ = subject.gradients.pull_back(
            "loss", loss_of, [subject.cast(each) for each in fed], batch.arrays(), [], None
        )
        seen[key(LOSS)] = subject.array(loss)
        for output, each, gradient in zip(outputs, fed, gradients, strict=True):
            seen[key(LOSS_GRADIENT, output)] = _or_zeros(subject, gradient, each.shape)

    set_state(subject, given, epoch, step)
    for weight, gradient in zip(
        model.trainable_variables, _whole_gradients(subject, batch), strict=True
    ):
        seen[key(GRADIENT, subject.name(weight))] = _or_zeros(subject, gradient, weight.shape)

    set_state(subject, given, epoch, step)
    subject.gradients.apply(
        [
            subject.cast(given[key(GRADIENT, subject.name(each))])
            for each in model.trainable_variables
        ]
    )
    for variable in subject.variables:
        seen[key(UPDATE, subject.name(variable))] = subject.read(variable)

    set_state(subject, given, epoch, step)
    model.reset_metrics()
    seen[key(STEP)] = subject.train_on(batch)
    for variable in subject.variables:
        seen[key(STEP, subject.name(variable))] = subject.read(variable)
    return seen


def state(subject: Subject, epoch: int, step: int) -> Seen:
    """Return the weights and the optimizer's variables as they are before a step."""
    return {
        Place(epoch, step, BEFORE, subject.name(variable)).key: subject.read(variable)
        for variable in subject.variables
    }


def set_state(subject: Subject, given: Arrays, epoch: int, step: int) -> None:
    """Set the weights and the optimizer's variables to what is given for before a step.

    The learning rate stays: it is a setting, and one of another backend would hide its own. What
    layers keep to themselves begins as in a new training.
    """
    for variable in subject.variables:
        if subject.name(variable) == LEARNING_RATE:
            continue
        variable.assign(given[Place(epoch, step, BEFORE, subject.name(variable)).key])
    begin_anew(subject)


def fed_to(given: Arrays, epoch: int, step: int) -> Seen:
    """Return what the stages of a step are given, of all that is."""
    return {key: given[key] for key in given if key.startswith((f"{epoch}/{step}/", "order/"))}


def spread_of(seen: Arrays, replicas: Iterable[Arrays]) -> Seen:
    """Return, under SPREAD, how far replicas are from `seen`, the largest distance by element."""
    spread: Seen = {}
    for replica in replicas:
        for key, array in replica.items():
            distance = np.abs(np.asarray(array, "float64") - seen[key])
            spread[SPREAD + key] = np.maximum(distance, spread.get(SPREAD + key, 0.0))
    return spread


def begin_anew(subject: Subject) -> None:
    """Set what layers keep to themselves to what it is when a training begins."""
    for variable, start in subject.kept:
        variable.assign(start)


def inputs_of_stages(subject: Subject, given: Arrays, epoch: int, step: int) -> Seen:
    """Return what the model itself feeds every stage of a step, from the state before it."""
    batch = subject.batch(given[f"order/{epoch}"], step)
    seen: Seen = {}
    set_state(subject, given, epoch, step)
    made, predictions = calls(subject.keras, subject.gradients, subject.model, batch.x)
    flat = subject.keras.tree.flatten(predictions)
    for output, tensor in zip(_output_names(subject, predictions), flat, strict=True):
        seen[Place(epoch, step, PREDICTIONS, output).key] = subject.array(tensor)
    for call in made:
        for name, tensor in zip(call.input_names(), call.inputs, strict=True):
            seen[Place(epoch, step, LAYER_INPUT, name).key] = subject.array(tensor)
        for name, tensor in zip(call.output_names(), call.outputs, strict=True):
            seen[Place(epoch, step, FORWARD, name).key] = subject.array(tensor)
    set_state(subject, given, epoch, step)
    for name, gradient in _output_gradients(subject, made, batch).items():
        seen[Place(epoch, step, OUTPUT_GRADIENT, name).key] = gradient
    set_state(subject, given, epoch, step)
    for weight, gradient in zip(
        subject.model.trainable_variables, _whole_gradients(subject, batch), strict=True
    ):
        place = Place(epoch, step, GRADIENT, subject.name(weight))
        seen[place.key] = _or_zeros(subject, gradient, weight.shape)
    return seen


def _repeat(
    subject: Subject,
    call: Call,
    inputs: Sequence[np.ndarray],
    weights: Sequence[Any],
    cotangents: Sequence[np.ndarray],
) -> tuple[list[Any], Seen, list[Any]]:
    """Call a layer again with other inputs; return outputs and gradients by what has one."""
    tree, ops = subject.keras.tree, subject.keras.ops
    keras_dtype = subject.keras.backend.standardize_dtype
    smooth = [index for index, array in enumerate(inputs) if array.dtype.kind == "f"]
    rigid = [index for index in range(len(inputs)) if index not in smooth]
    options = tree.flatten(call.kwargs)
    tensors_among = [index for index, option in enumerate(options) if ops.is_tensor(option)]

    leaves = tree.flatten(call.args)
    places = [index for index, leaf in enumerate(leaves) if ops.is_tensor(leaf)]
    dtypes = [keras_dtype(tensor.dtype) for tensor in call.inputs]

    def function(*tensors: Any) -> list[Any]:
        flat, flat_options = list(leaves), list(options)
        for index, tensor in zip([*smooth, *rigid], tensors, strict=False):
            # A layer of another precision has been given tensors of that precision.
            flat[places[index]] = ops.cast(tensor, dtypes[index])
        for index, tensor in zip(tensors_among, tensors[len(inputs) :], strict=True):
            flat_options[index] = tensor
        args = tree.pack_sequence_as(call.args, flat)
        kwargs = tree.pack_sequence_as(call.kwargs, flat_options)
        outputs = tree.flatten(call.layer.call(*args, **kwargs))
        return [output for output in outputs if ops.is_tensor(output)]

    outputs, by_inputs, by_weights = subject.gradients.pull_back(
        f"layer {call.name}",
        function,
        [inputs[index] for index in smooth],
        [*(inputs[index] for index in rigid), *(options[index] for index in tensors_among)],
        weights,
        cotangents,
    )
    names = call.input_names()
    gradients = {
        names[index]: _or_zeros(subject, gradient, inputs[index].shape)
        for index, gradient in zip(smooth, by_inputs, strict=True)
    }
    return outputs, gradients, by_weights


def _output_gradients(subject: Subject, made: Sequence[Call], batch: Examples) -> Seen:
    """Return the gradient of the loss by every output of every layer.

    To each output an offset of zero is added, by which the loss is differentiated.
    """
    keras, model = subject.keras, subject.model
    names = [name for call in made for name in call.output_names()]
    shapes = [tuple(output.shape) for call in made for output in call.outputs]

    def function(*tensors: Any) -> list[Any]:
        left, data = list(tensors[: len(names)]), tensors[len(names) :]

        def add(layer: Any, original: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                outputs = original(*args, **kwargs)
                return keras.tree.map_structure(
                    lambda each: (
                        each + keras.ops.cast(left.pop(0), each.dtype)
                        if keras.ops.is_tensor(each)
                        else each
                    ),
                    outputs,
                )

            return call

        with calls_replaced(keras, model, add):
            predictions = model(batch.packed(data)[0], training=True)
        return [subject.loss(predictions, batch, data)]

    zeros = [np.zeros(shape, keras.config.floatx()) for shape in shapes]
    _, gradients, _ = subject.gradients.pull_back(
        "offsets", function, zeros, batch.arrays(), [], None
    )
    return {
        name: _or_zeros(subject, gradient, shape)
        for name, gradient, shape in zip(names, gradients, shapes, strict=True)
    }


def _whole_gradients(subject: Subject, batch: Examples) -> list[Any]:
    """Return the gradient by every trainable weight, through the whole model."""
    model = subject.model

    def function(*data: Any) -> list[Any]:
        predictions = model(batch.packed(data)[0], training=True)
        return [subject.loss(predictions, batch, data)]

    _, _, gradients = subject.gradients.pull_back(
        "model", function, [], batch.arrays(), model.trainable_variables, None
    )
    return gradients


def _output_names(subject: Subject, predictions: Any) -> list[str]:
    """Return a name for each output of the model: the loss's, where there is one alone."""
    return names(THE_LOSS, len(subject.keras.tree.flatten(predictions)))


def _or_zeros(subject: Subject, gradient: Any, shape: Sequence[int]) -> np.ndarray:
    """Return a gradient; one that a backend leaves out is zero."""
    return np.zeros(tuple(shape)) if gradient is None else subject.array(gradient)


def read(keras: Any, variable: Any) -> np.ndarray:
    """Return a copy of a Keras variable's value."""
    return _plain(np.array(value(keras, variable)))


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array of a type that NumPy itself has: bfloat16 becomes float32."""
    return array if array.dtype.kind in "fiub" else array.astype("float32")
