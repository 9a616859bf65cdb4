"""Trains one arm by its loop and times its epochs."""

import math
from collections.abc import Callable, Mapping
from itertools import chain
from time import thread_time
from typing import Any

import numpy as np

from keras_bench.records import DATA_LOOP, Sample, steps_per_execution
from keras_bench.worker.callbacks import tell_epochs_of_fit, waiting_for_batches
from keras_bench.worker.fit_settings import epoch_count
from keras_bench.worker.preparing import Prepared, prepare
from keras_bench.worker.protocol import COMPILED_LOOPS, COMPILING, TRAINING, Refusal, TimingRequest
from keras_bench.worker.refusals import refusal
from keras_bench.worker.sampling import sample_of
from keras_bench.worker.stamps import Stamps

#: More epochs than any worker is ever told to train.
NO_END = 1_000_000


def measure(
    request: TimingRequest, enter: Callable[[str], None], begin: Callable[[], Stamps]
) -> Sample:
    """Train as the request says and return the sample; raise Refusal for the user's faults.

    `begin` blocks until the training may begin, and returns the stamps for its epochs.
    """
    prepared = prepare(request, enter)
    stamps = begin()
    enter(COMPILING if request.loop in COMPILED_LOOPS else TRAINING)
    epochs = _train(prepared, request, enter, stamps)
    return sample_of(
        prepared,
        request.backend,
        epoch_seconds=epochs.stamps.seconds,
        epoch_cpu_seconds=epochs.stamps.cpu_seconds,
        losses=epochs.losses,
        metrics=epochs.metrics,
        examples=prepared.data.examples,
        waiting_callbacks=_waiting(prepared, request.loop),
        ending_callback=epochs.ending_callback,
        fit_epochs=epoch_count(prepared.parts.fit),
    )


class _Epochs:
    """What the callbacks saw, an entry per epoch."""

    def __init__(self, stamps: Stamps) -> None:
        self.stamps = stamps
        self.losses: list[float] = []
        #: What else is reported of each, flat, by name.
        self._reported: list[dict[str, float]] = []
        #: Whether the training was to end within the last one.
        self.is_cut_short = False
        #: Which of the workload's callbacks first asked for the end, and after how many epochs.
        self.ending_callback: tuple[str, int] | None = None

    def keep(self, logs: Mapping[str, Any]) -> None:
        """Keep the loss and all else that is reported of an epoch."""
        self.losses.append(float(logs["loss"]))
        others = (_numbers(name, value) for name, value in logs.items() if name != "loss")
        self._reported.append(dict(chain.from_iterable(others)))

    @property
    def metrics(self) -> dict[str, list[float | None]]:
        """What else is reported, a list by name with an entry per epoch."""
        names = dict.fromkeys(chain.from_iterable(self._reported))
        return {name: [each.get(name) for each in self._reported] for name in names}


def _numbers(name: str, value: Any) -> list[tuple[str, float]]:
    """Return a metric by its name, or each of a metric's numbers; nothing where it has none."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return []
    if array.ndim == 0:
        return [(name, float(array))]
    return [(f"{name}[{place}]", float(each)) for place, each in enumerate(array.flat)]


def _train(
    prepared: Prepared,
    request: TimingRequest,
    enter: Callable[[str], None],
    stamps: Stamps,
) -> _Epochs:
    keras: Any = prepared.keras
    from keras_bench.loops.named import training_by
    from keras_bench.loops.refusals import LoopRefusal

    # Before the workload's own, which may end the training too, but after an epoch.
    class Lookout(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            epochs.is_cut_short = bool(self.model.stop_training)

    class AfterCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """Sees whether the callback before it asks for the end of the training."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self._name = name

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            if self.model.stop_training and epochs.ending_callback is None:
                epochs.ending_callback = (self._name, len(epochs.losses) + 1)

    # After them: what they take is part of an epoch.
    # Epoch level only: a hook on batches would turn off asynchronous dispatch on JAX and torch.
    class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            _work_for(request.added_cpu_seconds)
            # What is told of an epoch is kept of it, too.
            with stamps.leaving.put_off():
                self._end(logs or {})
            epochs.stamps.begin()

        def _end(self, logs: Mapping[str, Any]) -> None:
            loss = float(logs["loss"])
            go_on = epochs.stamps.end() and math.isfinite(loss) and not epochs.is_cut_short
            epochs.keep(logs)
            if len(epochs.losses) == 1 and request.loop in COMPILED_LOOPS:
                enter(TRAINING)
            # The workload's own stop is as its `epochs`: more are trained where more are asked for.
            self.model.stop_training = not go_on

    arguments = _arguments(prepared, request)
    callbacks = arguments.pop("callbacks")
    epochs = _Epochs(stamps)
    stamps.begin()
    try:
        train = training_by(request.loop, prepared.model)
        watched = [[each, AfterCallback(type(each).__name__)] for each in callbacks]
        own = [Lookout(), *chain.from_iterable(watched), Stopwatch()]
        with stamps.leaving.possible():
            train(**arguments, callbacks=own)
    except LoopRefusal as error:
        raise Refusal("loop", str(error)) from error
    except Exception as error:
        raise refusal("training raises", error) from error
    if epochs.losses and not math.isfinite(epochs.losses[-1]):
        raise Refusal(
            "diverged", f"the loss became {epochs.losses[-1]} in epoch {len(epochs.losses)}"
        )
    if epochs.is_cut_short:
        names = ", ".join(type(callback).__name__ for callback in callbacks)
        reason = f"a callback of FIT ({names}) ends the training within epoch {len(epochs.losses)}"
        raise Refusal(
            "workload", f"{reason}, and whole epochs are timed; let it do so at their end"
        )
    return epochs


def _arguments(prepared: Prepared, request: TimingRequest) -> dict[str, Any]:
    """Return what the workload's training is given, for as many epochs as are asked for."""
    fit = prepared.parts.fit
    # Its epochs go through the data and do nothing else.
    callbacks = [] if request.loop == DATA_LOOP else fit.get("callbacks", [])
    first, own = fit.get("initial_epoch", 0), epoch_count(fit)
    for callback in callbacks:
        tell_epochs_of_fit(callback, first, first + own)
    end = first + (request.epochs or NO_END)
    given = {"epochs": end, "verbose": 0, "callbacks": callbacks}
    return {**prepared.data.fit_arguments, **fit, **given}


def _waiting(prepared: Prepared, loop: str) -> tuple[str, ...]:
    # No other loop than `fit` calls anything at batches.
    if steps_per_execution(loop) is None:
        return ()
    return waiting_for_batches(prepared.parts.fit.get("callbacks", []))


def _work_for(cpu_seconds: float) -> None:
    # Wall time goes on while the process is stopped, and would end the work before it is done.
    end = thread_time() + cpu_seconds
    while thread_time() < end:
        pass
