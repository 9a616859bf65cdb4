"""An epoch of a Keras model on JAX: `jax.lax.scan` over its own `train_step`, or a call a step."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from keras_bench.loops import keras_private, payoff
from keras_bench.loops.refusals import LoopRefusal

#: Operations that are many times slower in a loop of XLA's on a CPU. By its dumps, the convolutions
#: of a gradient have another layout there than outside of loops.
SLOW_IN_LOOPS = {"conv_general_dilated"}


class FusedSteps:
    """Trains on batches in one call; where a step convolves, in a call for each of them.

    Such calls take their batches from the device by number, and Python waits for none of them.

    The values of the variables aren't given away to be overwritten, as `fit` gives them: a call
    that fails or is interrupted leaves them as they were.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Any = {}
        self._logs_of_epoch = keras_private.logs_of_epoch(model)
        self._scan = jax.jit(self._scanned)
        self._step = jax.jit(self._one_step, donate_argnums=0)
        self._is_slow_in_loops: bool | None = None

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
            if self._is_slow_in_loops is None:
                traced = self._scan.trace(state, batches).jaxpr
                self._is_slow_in_loops = not SLOW_IN_LOOPS.isdisjoint(_operations(traced.jaxpr))
            program = self._one_by_one if self._is_slow_in_loops else self._scan
            self._last_logs, state = program(state, batches)
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

    def compile_seconds(self, fit_seconds: float | None, training: Any) -> Iterable[float]:
        return [payoff.XLA_COSTS["jax"].seconds(fit_seconds)]

    def _variables(self) -> tuple[list[Any], ...]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )

    def _scanned(self, state: Any, batches: Any) -> Any:
        def step(state: Any, batch: Any) -> Any:
            logs, state = self._model.train_step(state, batch)
            return state, logs

        state, logs = jax.lax.scan(step, state, batches)
        return jax.tree.map(lambda each: each[-1], logs), state

    def _one_by_one(self, state: Any, batches: Any) -> Any:
        # Each step is given the values of the one before, to be overwritten.
        state, batches = jax.tree.map(jnp.copy, state), jax.tree.map(jnp.asarray, batches)
        logs = None
        for index in range(len(jax.tree.leaves(batches)[0])):
            logs, state = self._step(state, batches, index)
        return logs, state

    def _one_step(self, state: Any, batches: Any, index: Any) -> Any:
        batch = jax.tree.map(
            lambda each: jax.lax.dynamic_index_in_dim(each, index, keepdims=False), batches
        )
        return self._model.train_step(state, batch)


def _operations(program: Any) -> Iterator[str]:
    """Yield the names of the operations of a traced program, and of the programs in it."""
    for operation in program.eqns:
        yield operation.primitive.name
        for inner in jax.tree.leaves(operation.params, is_leaf=_is_program):
            if _is_program(inner):
                yield from _operations(inner)


def _is_program(parameter: Any) -> bool:
    return hasattr(parameter, "eqns")
