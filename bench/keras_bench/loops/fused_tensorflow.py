"""An epoch of a Keras model as one program of TensorFlow's: a `tf.while_loop` over `train_step`."""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from keras_bench.loops import keras_private, payoff
from keras_bench.loops.tensorflow_random import same_draws

#: Operations that XLA doesn't give the same numbers as TensorFlow. Keys and whole bits it does.
OTHER_DRAWS = re.compile("Random(?!Get|UniformFullIntV2)|TruncatedNormal|Multinomial")

#: Operations that take XLA several times as long on a CPU as TensorFlow.
CONVOLUTIONS = re.compile("Conv2D|Conv3D|DepthwiseConv2d")


#: What is raised where XLA can't compile something.
CANNOT_COMPILE = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.InternalError,
)


class FusedSteps:
    """Trains on batches in one call, which XLA compiles where that is faster and the same training.

    A step that XLA can't compile, that convolves, or in which XLA would draw other random numbers
    runs as a graph of TensorFlow's, in one call still. What XLA doesn't check isn't checked here
    either, such as labels and tokens out of range.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._programs: dict[str, _Program] = {}
        self._logs: Any = {}

    def train(self, batches: Any) -> None:
        # Lists are tuples, as where `fit` makes a dataset of them.
        tensors = keras.tree.map_structure(_tensor, keras.tree.lists_to_tuples(batches))
        kind = _kind(tensors)
        program = self._programs.get(kind) or _program(self._model, tensors, xla=True)
        try:
            self._logs = program.train(tensors)
        except CANNOT_COMPILE as error:
            if kind in self._programs or not program.by_xla:
                raise
            # XLA writes the variables when its program has ended: none is changed so far.
            reason = error.message.splitlines()[0]
            warnings.warn(f"trained without XLA, which can't compile it: {reason}", stacklevel=2)
            program = _program(self._model, tensors, xla=False)
            self._logs = program.train(tensors)
        self._programs[kind] = program

    def logs(self) -> Mapping[str, Any]:
        return {name: value.numpy() for name, value in self._logs.items()}

    def compile_seconds(self, fit_seconds: float | None, training: Any) -> Iterable[float]:
        return [payoff.XLA_COSTS["tensorflow"].seconds(fit_seconds)]


def _tensor(array: Any) -> Any:
    return None if array is None else tf.convert_to_tensor(array)


@dataclass(frozen=True)
class _Program:
    """A function that trains on batches of a kind and returns the logs, and who compiled it."""

    train: Callable[[Any], Any]
    by_xla: bool


def _kind(batches: Any) -> str:
    """Return what a program is made for: the nest, and the shape and dtype of each tensor."""
    return repr(
        keras.tree.map_structure(
            lambda each: None if each is None else (tuple(each.shape), each.dtype.name), batches
        )
    )


def _program(model: Any, batches: Any, xla: bool) -> _Program:
    """Return what trains on such batches."""
    # Traced ahead of the loop, which has to know the logs that it carries.
    train_step = tf.function(model.train_step, autograph=False, jit_compile=xla)
    with same_draws() if xla else nullcontext():
        step = train_step.get_concrete_function(_batch(batches))
    if xla and (_has(OTHER_DRAWS, step) or _has(CONVOLUTIONS, step)):
        return _program(model, batches, xla=False)
    steps = keras.tree.flatten(batches)[0].shape[0]
    no_logs = tf.nest.map_structure(
        lambda spec: tf.zeros(spec.shape, spec.dtype), step.structured_outputs
    )

    def loop(batches: Any) -> Any:
        def body(index: Any, _: Any) -> Any:
            batch = keras.tree.map_structure(
                lambda each: None if each is None else each[index], batches
            )
            return index + 1, step(batch)

        # Without XLA the steps of a loop may overlap, where they wait for nothing but variables.
        _, logs = tf.while_loop(
            lambda index, _: index < steps, body, (0, no_logs), parallel_iterations=1
        )
        return keras_private.logs_of_epoch(model)(logs)

    program = tf.function(loop, autograph=False, jit_compile=xla)
    return _Program(program.get_concrete_function(batches), xla)


def _batch(batches: Any) -> Any:
    """Return what a batch looks like to `train_step`."""
    # Keras weighs the losses of several outputs by the batch's size where it knows it. In `fit` it
    # doesn't, if the last batch is shorter.
    open_size = isinstance(batches, tuple) and len(batches) > 1 and keras.tree.is_nested(batches[1])

    def spec(each: Any) -> Any:
        size = None if open_size else each.shape[1]
        return tf.TensorSpec([size, *each.shape[2:]], each.dtype)

    return keras.tree.map_structure(lambda each: None if each is None else spec(each), batches)


def _has(operations: re.Pattern[str], function: Any) -> bool:
    """Return whether a traced function has one of these operations."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    return any(operations.search(node.op) for node in nodes)
