"""An epoch of a Keras model as one program of XLA's: `jax.lax.scan` over its own `train_step`."""

from collections.abc import Mapping
from typing import Any

import jax

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal


class FusedSteps:
    """Trains on batches in one call.

    The values of the variables aren't given away to be overwritten, as `fit` gives them: a call
    that fails or is interrupted leaves them as they were.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Any = {}
        self._logs_of_epoch = keras_private.logs_of_epoch(model)
        self._program = jax.jit(self._scan)

    def train(self, batches: Any) -> None:
        groups = self._variables()
        keras_private.prepare_sharding(self._model)
        state = tuple([variable.value for variable in group] for group in groups)
        try:
            # As in `fit`: what reads a variable past the step's arguments would compile its value
            # in, and fails instead.
            for group in groups:
                for variable in group:
                    keras_private.withhold(variable)
            self._last_logs, state = self._program(state, batches)
        except jax.errors.JAXTypeError as error:
            raise LoopRefusal(
                "the model: its training step needs the values of what it computes, which a "
                "compiled one doesn't have; write it in keras.ops alone, or train with fit"
            ) from error
        finally:
            for group, values in zip(groups, state, strict=True):
                for variable, value in zip(group, values, strict=True):
                    variable.assign(value)

    def logs(self) -> Mapping[str, Any]:
        logs: Mapping[str, Any] = self._logs_of_epoch(self._last_logs)
        return logs

    def _variables(self) -> tuple[list[Any], ...]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )

    def _scan(self, state: Any, batches: Any) -> Any:
        def step(state: Any, batch: Any) -> Any:
            logs, state = self._model.train_step(state, batch)
            return state, logs

        state, logs = jax.lax.scan(step, state, batches)
        return jax.tree.map(lambda each: each[-1], logs), state
