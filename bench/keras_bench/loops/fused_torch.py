"""An epoch of a Keras model as one program of torch's: a loop over a graph of its `train_step`."""

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_bench.loops import keras_private, payoff
from keras_bench.loops.epochs import Training
from keras_bench.loops.refusals import LoopRefusal
from keras_bench.loops.torch_check import CARRIED, ROUNDED, SAME, parting
from keras_bench.loops.torch_compiled import program_of, remember, remembered_seconds
from keras_bench.loops.torch_loaders import LoadersOfFit
from keras_bench.loops.torch_program import Program
from keras_bench.loops.torch_trace import TracedStep, first_line, tensors_of

#: The largest step that is compiled, in operators: compiling takes longer than in proportion.
OPERATORS = 2000

#: How many steps are trained both ways before a graph is trusted.
CHECKED_STEPS = 3


class FusedSteps:
    """Trains on batches of a shape in one call; on a short last batch by the traced step.

    Attributes:
        compiled: whether torch's compiler made the programs of whole batches; where it can't,
            Python runs the traced step
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Any = {}
        self._logs_of_epoch = keras_private.logs_of_epoch(model)
        self._programs: dict[str, Callable[[Any], Any]] = {}
        self._traced_steps: dict[str, TracedStep] = {}
        self._trace_seconds: dict[str, float] = {}
        self.compiled = True
        self._loaders = LoadersOfFit(model)

    def train(self, batches: Any) -> None:
        self._loaders.begin_epoch()
        try:
            self._train(keras.tree.map_structure(_tensor, batches))
        except BaseException:
            self._loaders.break_off()
            raise
        finally:
            self._model.eval()

    def _train(self, batches: Any) -> None:
        kind = _kind(batches)
        self._model.train()
        if kind not in self._programs:
            begin = time.perf_counter()
            traced = self._traced(batches)
            # A short last batch isn't worth the seconds that compiling takes.
            alone = _steps(batches) == 1 and self._programs
            program = self._programs[kind] = traced if alone else self._compiled(traced, batches)
            if isinstance(program, Program):
                name = program_of(traced.step, _batch(batches, 0), _steps(batches))
                remember(name, time.perf_counter() - begin)
        self._last_logs = self._programs[kind](batches)

    def logs(self) -> Mapping[str, Any]:
        self._loaders.end_epoch()
        logs: Mapping[str, Any] = self._logs_of_epoch(self._last_logs)
        return logs

    def compile_seconds(self, fit_seconds: float | None, training: Training) -> Iterator[float]:
        yield payoff.TORCH_COST.least_seconds
        part = training.parts[0]
        examples = np.arange(part.batch_size)
        batches = training.batches(replace(part, start=0, steps=1), examples)
        batches = keras.tree.map_structure(_tensor, batches)
        self._model.train()
        try:
            step = self._step(batches)
        finally:
            self._model.eval()
        trace_seconds = self._trace_seconds[_kind(batches)]
        why_not = self._why_not_compiled(step)
        if why_not:
            raise LoopRefusal(f"the training step: {why_not}; train with fit")
        if why_not is None:
            program = program_of(step, _batch(batches, 0), part.steps)
            yield payoff.TORCH_COST.seconds(trace_seconds, remembered_seconds(program))

    def _step(self, batches: Any) -> TracedStep:
        """Return the step on batches of these shapes, traced once."""
        kind = _kind(batches)
        if kind not in self._traced_steps:
            begin = time.perf_counter()
            self._traced_steps[kind] = TracedStep(self._model, _batch(batches, 0))
            self._trace_seconds[kind] = time.perf_counter() - begin
        return self._traced_steps[kind]

    def _traced(self, batches: Any) -> "_Traced":
        """Return what trains on batches of these shapes, once it has shown that it does.

        Raises:
            LoopRefusal: the traced step doesn't do what the model's own does.
        """
        traced = _Traced(self._step(batches))

        def own(batches: Any) -> None:
            _one_by_one(self._model.train_step, batches)

        group = parting(traced.step.groups, own, traced, traced, _first_steps(batches), SAME)
        if group is not None:
            raise LoopRefusal(
                f"the training step: traced by torch, it leaves {group} otherwise than in fit, as "
                "where Python counts or draws at each step; use keras.Variable and keras.random, "
                "or train with fit"
            )
        return traced

    def _compiled(self, traced: "_Traced", batches: Any) -> Callable[[Any], Any]:
        """Return the traced training compiled, or as it is, with a warning, where torch can't."""
        why_not = self._why_not_compiled(traced.step)
        if why_not is None:
            try:
                program = Program(traced.step, batches)
                group = _parting_of_program(traced, program, batches)
            except Exception as error:
                why_not = first_line(error)
            else:
                if group is None:
                    return program
                why_not = f"compiled, the training step leaves {group} otherwise"
        self.compiled = False
        if why_not:
            warnings.warn(
                f"Python runs the traced training step, several times slower: {why_not}",
                stacklevel=2,
            )
        return traced

    @staticmethod
    def _why_not_compiled(step: TracedStep) -> str | None:
        """Return why not even to try, or an empty text where that is as asked."""
        if os.environ.get("TORCH_COMPILE_DISABLE") == "1":
            return ""
        operators = sum(node.op == "call_function" for node in step.graph.graph.nodes)
        if operators > OPERATORS:
            return f"its {operators} operators would take minutes to compile"
        return None


class _Traced:
    """Trains by a traced step, as often as there are batches."""

    def __init__(self, step: TracedStep) -> None:
        self.step = step

    def __call__(self, batches: Any) -> Any:
        return _one_by_one(self.step, batches)


def _tensor(each: Any) -> Any:
    return None if each is None else keras.ops.convert_to_tensor(each)


def _kind(batches: Any) -> str:
    """Return what a graph is made for: the nest, and of each tensor a batch's shape and dtype."""
    return repr(
        keras.tree.map_structure(
            lambda each: None if each is None else (tuple(each.shape[1:]), each.dtype), batches
        )
    )


def _steps(batches: Any) -> int:
    return len(tensors_of(batches)[0])


def _batch(batches: Any, index: int | slice) -> Any:
    return keras.tree.map_structure(lambda each: None if each is None else each[index], batches)


def _first_steps(batches: Any) -> list[Any]:
    """Return the steps that are trained both ways, each as batches of one step."""
    steps = range(min(CHECKED_STEPS, _steps(batches)))
    return [_batch(batches, slice(step, step + 1)) for step in steps]


def _parting_of_program(traced: _Traced, program: Program, batches: Any) -> str | None:
    """Return what a program leaves otherwise than the traced step, by steps and in one call."""
    steps, together = _first_steps(batches), [_batch(batches, slice(CHECKED_STEPS))]
    groups = traced.step.groups
    return parting(groups, traced, program, traced, steps, ROUNDED) or parting(
        groups, traced, program, traced, together, CARRIED
    )


def _one_by_one(step: Callable[[Any], Any], batches: Any) -> Any:
    logs = None
    for index in range(_steps(batches)):
        logs = step(_batch(batches, index))
    return logs
