"""An epoch of a Keras model as one program of XLA's: a `tf.while_loop` over its own `train_step`."""

from typing import Any

import keras
import tensorflow as tf


class FusedSteps:
    """Trains on batches in one call."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Any = {}
        self._program = tf.function(self._loop, autograph=False, jit_compile=True)

    def train(self, batches: Any) -> None:
        self._last_logs = self._program(_tensors(batches))

    def logs(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._last_logs.items()}

    def _loop(self, batches: Any) -> Any:
        def batch(index: Any) -> Any:
            return _map(lambda each: each[index], batches)

        step = tf.function(self._model.train_step, autograph=False)
        # Traced ahead of the loop, which has to know the logs that it carries.
        step = step.get_concrete_function(batch(0))
        steps = keras.tree.flatten(batches)[0].shape[0]
        empty = tf.nest.map_structure(
            lambda spec: tf.zeros(spec.shape, spec.dtype), step.structured_outputs
        )

        def body(index: Any, _: Any) -> Any:
            return index + 1, step(*[b for b in keras.tree.flatten(batch(index)) if b is not None])

        _, logs = tf.while_loop(
            lambda index, _: index < steps, body, (0, empty), parallel_iterations=1
        )
        return self._model._get_metrics_result_or_logs(logs)


def _map(function: Any, nest: Any) -> Any:
    return keras.tree.map_structure(lambda each: None if each is None else function(each), nest)


def _tensors(nest: Any) -> Any:
    return _map(tf.convert_to_tensor, nest)
