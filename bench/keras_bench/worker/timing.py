"""Trains one arm by its loop and times its epochs."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from keras_bench.records import Sample
from keras_bench.worker.preparing import Prepared, prepare
from keras_bench.worker.protocol import COMPILED_LOOPS, COMPILING, TRAINING, Refusal, TimingRequest
from keras_bench.worker.refusals import refusal
from keras_bench.worker.sampling import sample_of
from keras_bench.worker.turns import Turns


def measure(request: TimingRequest, enter: Callable[[str], None], turns: Turns | None) -> Sample:
    """Train as the request says and return the sample; raise Refusal for the user's faults."""
    prepared = prepare(request, enter)
    enter(COMPILING if request.loop in COMPILED_LOOPS else TRAINING)
    epochs = _train(prepared, request, enter, turns)
    return sample_of(
        prepared,
        request.backend,
        epoch_seconds=epochs.seconds,
        epoch_cpu_seconds=epochs.cpu_seconds,
        losses=epochs.losses,
        accuracies=epochs.accuracies,
        examples=prepared.data.examples,
    )


class _Epochs:
    """What the callback saw, an entry per epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.losses: list[float] = []
        self.accuracies: list[float] = []


def _train(
    prepared: Prepared,
    request: TimingRequest,
    enter: Callable[[str], None],
    turns: Turns | None,
) -> _Epochs:
    keras: Any = prepared.keras
    from keras_bench.loops.named import training_by
    from keras_bench.loops.refusals import LoopRefusal

    data = prepared.data
    epochs = _Epochs()
    time_limit_seconds = request.time_limit_seconds or math.inf

    # Epoch level only: a hook on batches would turn off asynchronous dispatch on JAX and torch.
    class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.start = self.previous = time.perf_counter()
            self.previous_cpu = time.process_time()

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            _keep_busy(request.busy_wait_seconds)
            now, now_cpu = time.perf_counter(), time.process_time()
            epochs.seconds.append(now - self.previous)
            epochs.cpu_seconds.append(now_cpu - self.previous_cpu)
            loss = float((logs or {})["loss"])
            epochs.losses.append(loss)
            if "accuracy" in (logs or {}):
                epochs.accuracies.append(float((logs or {})["accuracy"]))
            enough = len(epochs.seconds) >= request.least_epochs
            late = now - self.start > time_limit_seconds
            go_on = math.isfinite(loss) and not (enough and late)
            if len(epochs.seconds) == 1 and request.loop in COMPILED_LOOPS:
                enter(TRAINING)
            if go_on and turns is not None:
                go_on = turns.epoch_ended(epochs.seconds[-1])
                now, now_cpu = time.perf_counter(), time.process_time()  # Waiting doesn't count.
            self.previous, self.previous_cpu = now, now_cpu
            if not go_on:
                self.model.stop_training = True

    settings = dict(prepared.parts.fit)
    wanted = request.epochs or settings.get("epochs", 1)
    settings["epochs"] = max(wanted, request.least_epochs)
    arguments = {**data.fit_arguments, **settings, "verbose": 0}
    try:
        train = training_by(request.loop, prepared.model)
        train(**arguments, callbacks=[Stopwatch()])
    except LoopRefusal as error:
        raise Refusal("loop", str(error)) from error
    except Exception as error:
        raise refusal("training raises", error) from error
    if epochs.losses and not math.isfinite(epochs.losses[-1]):
        raise Refusal(
            "diverged", f"the loss became {epochs.losses[-1]} in epoch {len(epochs.losses)}"
        )
    return epochs


def _keep_busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
