"""Trains by `fit` until compiling a whole epoch pays, and by the fused loop from then on.

The training is cut into stretches, each of which `Model.fit` or the fused loop trains. All of them
are given one list of callbacks, to which they are one training.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Protocol

import keras
import numpy as np

from keras_bench.loops import keras_private, payoff
from keras_bench.loops.checks import may_end_early, refuse_callbacks
from keras_bench.loops.epochs import (
    Steps,
    Training,
    is_compiled,
    limited,
    steps_of,
    train,
    training_of,
)
from keras_bench.loops.refusals import LoopRefusal


class CompiledSteps(Steps, Protocol):
    """Steps of an epoch that is compiled."""

    def compile_seconds(self, fit_seconds: float | None, training: Training) -> Iterable[float]:
        """Yield about how long compiling takes, the later the better known.

        `fit_seconds` is how much longer the first epoch of `fit` took than a later one; None where
        that is no measure.

        Raises:
            LoopRefusal: it isn't compiled.
        """


#: Chooses the loop of the epochs to come, as `payoff.choose` does.
Choose = Callable[..., payoff.Choice]


def fit_or_fused(
    make_steps: Callable[[Any], CompiledSteps],
    model: Any,
    x: Any,
    y: Any,
    *,
    memory_bytes: int,
    choose: Choose = payoff.choose,
    **settings: Any,
) -> Any:
    """Train as `Model.fit` does, and return the `keras.callbacks.History`, with `fused` in it.

    `settings` are all other arguments of `fit`. `choose` is asked after each epoch which loop is to
    go on.
    """
    try:
        training = _training(model, x, y, memory_bytes, settings)
    except LoopRefusal as refusal:
        history = model.fit(x, y, **settings)
        done = payoff.FusedReport((), _reason(refusal))
    else:
        history, done = _in_stretches(make_steps, model, training, choose, settings)
    history.fused = done
    if settings["verbose"] != 0:
        print(done.sentence)
    return history


def _reason(refusal: LoopRefusal) -> str:
    """Return what a refusal says but for what to do instead, which is to train with fit."""
    message = str(refusal)
    return message.rpartition("; ")[0] or message


def _training(model: Any, x: Any, y: Any, memory_bytes: int, settings: dict[str, Any]) -> Training:
    """Return what is trained on.

    Raises:
        LoopRefusal: the fused loop would refuse it, as far as is known before anything is compiled.
    """
    callbacks = settings["callbacks"]
    if isinstance(callbacks, keras.callbacks.CallbackList):
        raise LoopRefusal("callbacks: a CallbackList is used as it is; give a list of callbacks")
    refuse_callbacks(keras.tree.flatten(callbacks or []))
    if isinstance(settings["validation_data"], Iterator):
        raise LoopRefusal("validation_data: a generator is gone through once; give arrays")
    cut = ("batch_size", "validation_split", "validation_data", "shuffle", "class_weight")
    more = ("sample_weight", "steps_per_epoch")
    return training_of(
        model, x, y, memory_bytes=memory_bytes, **{name: settings[name] for name in (*cut, *more)}
    )


def _in_stretches(
    make_steps: Callable[[Any], CompiledSteps],
    model: Any,
    training: Training,
    choose: Choose,
    settings: dict[str, Any],
) -> tuple[Any, payoff.FusedReport]:
    epochs = limited(settings["epochs"])
    same = ("validation_steps", "validation_freq")
    shared = {"epochs": epochs, **{name: settings[name] for name in same}}
    validation_batch_size = settings["validation_batch_size"] or settings["batch_size"]

    def by_fit(first_epoch: int) -> None:
        model.fit(
            training.x,
            training.y,
            sample_weight=training.sample_weight,
            class_weight=settings["class_weight"],
            batch_size=settings["batch_size"],
            shuffle=settings["shuffle"],
            validation_data=training.validation_data,
            validation_batch_size=validation_batch_size,
            callbacks=callbacks,
            initial_epoch=first_epoch,
            **shared,
        )

    def fused(first_epoch: int) -> None:
        with _put_back_if_refused(model, callbacks):
            train(
                make_steps,
                model,
                training,
                callbacks,
                initial_epoch=first_epoch,
                validation_batch_size=validation_batch_size,
                **shared,
            )

    # What `fit` has compiled before, its first epoch doesn't compile again.
    fit_is_compiled = getattr(model, "train_function", None) is not None
    is_fused = is_compiled(model, make_steps, training)

    def costs(fit_seconds: float) -> Iterable[float]:
        steps: CompiledSteps = steps_of(model, make_steps)
        return steps.compile_seconds(None if fit_is_compiled else fit_seconds, training)

    callbacks = _OneTraining(
        settings["callbacks"],
        partial(choose, costs=costs),
        loop="fused" if is_fused else "fit",
        first_epoch=settings["initial_epoch"],
        verbose=settings["verbose"],
        epochs=epochs,
        steps=training.steps,
        model=model,
    )
    loops = {"fit": by_fit, "fused": fused}
    with _averaged_at_the_end(model) as asked, ExitStack() as stack:
        while callbacks.next_loop is not None:
            loop = callbacks.begin_stretch()
            asked.clear()
            try:
                loops[loop](callbacks.first_epoch)
            except LoopRefusal as refusal:
                if loop == "fit":
                    raise
                callbacks.refuse(_reason(refusal))
            stack.enter_context(keras_private.beginning_with(model, callbacks.first_epoch))
    callbacks.finish()
    return model.history, payoff.report(callbacks.timed, callbacks.why, is_fused)


class _OneTraining(keras.callbacks.CallbackList):  # type: ignore[misc]
    """Callbacks to which all stretches are one training.

    It times the epochs, and ends a stretch where another loop is to go on.

    Attributes:
        timed: the epochs that were trained
        first_epoch: the epoch to train next, or the one that is being trained
        next_loop: what is to train from there on; None where the training has ended
        why: why it is trained by fit
    """

    def __init__(
        self,
        callbacks: Any,
        choose: Callable[[list[payoff.TimedEpoch], int, bool], payoff.Choice],
        loop: str,
        first_epoch: int,
        verbose: Any,
        **params: Any,
    ) -> None:
        super().__init__(
            callbacks, add_history=True, add_progbar=verbose != 0, verbose=verbose, **params
        )
        self.timed: list[payoff.TimedEpoch] = []
        self.next_loop: str | None = loop
        self.first_epoch = first_epoch
        self.why = payoff.UNKNOWN
        self._choose = choose
        self._may_end_early = any(map(may_end_early, self.callbacks))
        self._is_settled = False
        self._loop = loop
        self._has_begun = False
        self._begun_epoch: int | None = None
        self._began_at = 0.0
        self._trained_at: float | None = None
        self._logs: Any = None

    def begin_stretch(self) -> str:
        """Return the loop that is to train, until the training ends or another is chosen."""
        assert self.next_loop is not None
        self._loop, self.next_loop = self.next_loop, None
        return self._loop

    def refuse(self, why: str) -> None:
        """Let fit train the epoch that may have begun, and all later ones."""
        self.next_loop, self.why, self._is_settled = "fit", why, True

    def finish(self) -> None:
        """Tell the callbacks that the training has ended."""
        super().on_train_end(self._logs)

    def on_train_begin(self, logs: Any = None) -> None:
        if not self._has_begun:
            self._has_begun = True
            super().on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._logs = logs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # One that the fused loop has begun and refused begins again.
        if epoch != self._begun_epoch:
            self._begun_epoch = self.first_epoch = epoch
            super().on_epoch_begin(epoch, logs)
        self._trained_at = None
        self._began_at = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        self._trained_at = self._trained_at or time.perf_counter()
        super().on_test_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = (self._trained_at or time.perf_counter()) - self._began_at
        self.timed.append(payoff.TimedEpoch(self._loop, epoch + 1, seconds))
        self.first_epoch = epoch + 1
        super().on_epoch_end(epoch, logs)
        remaining = self.params["epochs"] - (epoch + 1)
        # Where it is to stop already, a callback wants it so.
        if remaining and not self.model.stop_training and not self._is_settled:
            self._choose_next(remaining)

    def _choose_next(self, remaining: int) -> None:
        try:
            choice = self._choose(self.timed, remaining, self._may_end_early)
        except LoopRefusal as refusal:
            choice = payoff.Choice("fit", _reason(refusal), settled=True)
        self.why, self._is_settled = choice.why, choice.settled
        if choice.loop != self._loop:
            self.next_loop = choice.loop
            self.model.stop_training = True


@contextmanager
def _averaged_at_the_end(model: Any) -> Iterator[list[Any]]:
    """Let averages take the place of the weights once, after all stretches.

    Yields what the last stretch has asked for, to be cleared before each.
    """
    optimizer, asked = model.optimizer, list[Any]()
    optimizer.finalize_variable_values = asked.append
    try:
        yield asked
    finally:
        del optimizer.finalize_variable_values
        # On JAX `fit` does so where something was raised, too.
        for weights in asked:
            optimizer.finalize_variable_values(weights)


@contextmanager
def _put_back_if_refused(model: Any, callbacks: _OneTraining) -> Iterator[None]:
    """Put back the variables' values if the fused loop refuses its first epoch."""
    variables = [*model.variables, *model.optimizer.variables]
    values = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    trained = len(callbacks.timed)
    try:
        yield
    except LoopRefusal:
        if len(callbacks.timed) == trained:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        raise
