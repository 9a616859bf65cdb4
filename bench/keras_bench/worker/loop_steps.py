"""Trains on some first batches one by one, each time from the state that `fit` came to.

A training may be so chaotic that little of it can be compared as a whole. Its steps still can.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from keras_bench.parity.places import STEP, Place
from keras_bench.worker.loop_subject import WEIGHTS_ALONE, Seen, Subject, spread_of_all, variables

#: How many batches are trained on by themselves.
STEPS = 3

#: The values of all variables of a model, in their order.
State = list[np.ndarray]


def steps_by_fit(subject: Subject, replicas: int) -> tuple[Seen, list[State]]:
    """Return what `fit` gives in each step, how far rounding moves it, and where each begins."""
    from keras_bench.loops.named import training_by

    model = subject.build()
    train = training_by("fit", model)
    seen: Seen = {}
    starts: list[State] = []

    def note() -> None:
        starts.append([subject.read(each) for each in variables(model)])

    for step in range(1, min(STEPS, subject.steps) + 1):
        seen |= _step(subject, "fit", model, train, step, note)
    randomness = np.random.default_rng(0)

    def replica() -> Seen:
        moved: Seen = {}
        for step, start in enumerate(starts, start=1):
            begin = partial(_begin, model, start, partial(subject.rounded, randomness=randomness))
            moved |= _step(subject, "fit", model, train, step, begin, randomness)
        return moved

    return seen | spread_of_all(seen, (replica() for _ in range(replicas))), starts


def steps_by(loop: str, subject: Subject, starts: Sequence[State]) -> Seen:
    """Return what a loop gives in the steps that begin so, nothing where there are none."""
    if loop in WEIGHTS_ALONE:
        starts = starts[:1]  # What it doesn't keep can't be given to it.
    if not starts:
        return {}
    from keras_bench.loops.named import training_by

    model = subject.build()
    train = training_by(loop, model)
    seen: Seen = {}
    for step, start in enumerate(starts, start=1):
        begin = None if loop in WEIGHTS_ALONE else partial(_begin, model, start, np.asarray)
        seen |= _step(subject, loop, model, train, step, begin)
    return seen


def _step(
    subject: Subject,
    loop: str,
    model: Any,
    train: Callable[..., Any],
    step: int,
    begin: Callable[[], None] | None,
    randomness: Any = None,
) -> Seen:
    """Train on one batch; return the metrics, and what is left."""
    data = subject.batch(step)
    if randomness is not None:
        data = subject.keras.tree.map_structure(
            lambda each: subject.rounded(each, randomness), data
        )
    settings = dict(subject.settings)
    if "steps_per_epoch" in settings:
        settings["steps_per_epoch"] = 1
    # Layers without a seed draw the same in each training, however many steps were before.
    subject.keras.utils.set_random_seed(subject.seed)
    history = train(
        **data,
        **settings,
        epochs=1,
        shuffle=False,
        verbose=0,
        callbacks=[] if begin is None else [_at_begin(subject, begin)],
    )
    return subject.metrics(history, step) | subject.left(model, loop, Place(1, step, STEP))


def _begin(model: Any, start: State, change: Callable[[np.ndarray], np.ndarray]) -> None:
    for variable, array in zip(variables(model), start, strict=True):
        variable.assign(change(array))


def _at_begin(subject: Subject, begin: Callable[[], None]) -> Any:
    """Return a callback that does this once all variables are there."""

    class AtBegin(subject.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            begin()

    return AtBegin()
