"""Trains from given weights on given batches, and writes down what is seen on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_bench.parity.places import (
    EPOCH_END,
    EPOCH_LOSS,
    INITIAL_WEIGHTS,
    RUNNING_LOSS,
    Place,
)
from keras_bench.worker.orders import reorder_steps
from keras_bench.worker.stages import (
    Arrays,
    Seen,
    Subject,
    begin_anew,
    fed_to,
    inputs_of_stages,
    observe_step,
    set_state,
    spread_of,
    state,
)

#: Trainings, and repetitions of a stage, with what goes in rounded at random.
REPLICAS = 4


def observe(subject: Subject, reference: Arrays) -> Seen:
    """Return every stage of the script's steps, fed by the reference."""
    seen: Seen = {}
    _set_weights(subject, reference)
    for weight in subject.model.weights:
        seen[Place(0, 0, INITIAL_WEIGHTS, subject.name(weight)).key] = subject.read(weight)
    for epoch, step in subject.script.points:
        seen |= observe_step(subject, reference, epoch, step)
    return seen


def record(subject: Subject, given: Arrays) -> Seen:
    """Return a free training, and what it feeds the stages of the script's steps.

    Under SPREAD stands how far each loss and variable of the training moves where the numbers
    are rounded at random before every epoch.
    """
    start = [subject.read(variable) for variable in subject.model.optimizer.variables]
    seen = _train_by_steps(subject, given, start, None)
    randomness = np.random.default_rng(0)
    replicas = (_train_by_steps(subject, given, start, randomness) for _ in range(REPLICAS))
    spread = spread_of(seen, replicas)
    _set_optimizer(subject, start)  # The learning rate was rounded too, and no step sets it.
    return seen | spread


def repeat(subject: Subject, given: Arrays) -> Seen:
    """Return every stage of the script's steps, fed with what is given.

    Under SPREAD stands how far each array moves where what goes in is rounded at random.
    """
    seen: Seen = {}
    randomness = np.random.default_rng(0)
    for epoch, step in subject.script.points:
        fed = fed_to(given, epoch, step)
        stages = observe_step(subject, fed, epoch, step)
        rounded = (
            {key: _rounded(subject, array, randomness) for key, array in fed.items()}
            for _ in range(REPLICAS)
        )
        replicas = (observe_step(subject, each, epoch, step) for each in rounded)
        seen |= stages | spread_of(stages, replicas)
    return seen


def _train_by_steps(
    subject: Subject, given: Arrays, start: list[np.ndarray], randomness: Any
) -> Seen:
    """Train step by step; without randomness, note what the stages of the script's steps get."""
    script, model = subject.script, subject.model
    seen: Seen = {}
    _set_weights(subject, given)
    _set_optimizer(subject, start)
    begin_anew(subject)
    for weight in model.weights:
        seen[Place(0, 0, INITIAL_WEIGHTS, subject.name(weight)).key] = subject.read(weight)
    for epoch in range(1, script.epochs + 1):
        order = given[f"order/{epoch}"]
        if randomness is not None:
            steps = -(-len(order) // script.batch_size)
            for variable in subject.variables:
                rounded = _rounded(subject, subject.read(variable), randomness, steps)
                variable.assign(rounded)
        model.reset_metrics()
        for step in range(1, -(-len(order) // script.batch_size) + 1):
            batch = subject.batch(order, step)
            if randomness is None and (epoch, step) in script.points:
                before = state(subject, epoch, step)
                carried = [(variable, subject.read(variable)) for variable, _ in subject.kept]
                fed = before | inputs_of_stages(
                    subject, before | {f"order/{epoch}": order}, epoch, step
                )
                seen |= fed
                set_state(subject, before, epoch, step)
                for variable, value in carried:
                    variable.assign(value)
            # Of the epoch so far, as `fit` tells it: what a step counts for is up to train_step.
            with _metrics_go_on(model):
                loss = subject.train_on(batch)
            if (epoch, step) in script.points or step == 1:
                seen[Place(epoch, step, RUNNING_LOSS).key] = loss
        seen[Place(epoch, 0, EPOCH_LOSS).key] = loss
        for variable in subject.variables:
            seen[Place(epoch, 0, EPOCH_END, subject.name(variable)).key] = subject.read(variable)
    return seen


@contextmanager
def _metrics_go_on(model: Any) -> Iterator[None]:
    """Keep `train_on_batch` from beginning the metrics anew, for a while."""
    original = model.reset_metrics
    model.reset_metrics = lambda: None
    try:
        yield
    finally:
        model.reset_metrics = original


def _rounded(subject: Subject, array: np.ndarray, randomness: Any, times: int = 1) -> np.ndarray:
    """Return an array with the random relative errors of so many roundings, which add as roots."""
    if array.dtype.kind != "f":
        return array
    size = subject.script.unit_roundoff * times**0.5
    return np.asarray(array * (1.0 + size * randomness.uniform(-1.0, 1.0, array.shape)))


def _set_weights(subject: Subject, given: Arrays) -> None:
    for weight in subject.model.weights:
        weight.assign(given[f"initial/{subject.name(weight)}"])


def _set_optimizer(subject: Subject, start: list[np.ndarray]) -> None:
    for variable, value in zip(subject.model.optimizer.variables, start, strict=True):
        variable.assign(value)


#: What a script may ask for.
TASKS = {"record": record, "repeat": repeat, "observe": observe, "reorder": reorder_steps}
