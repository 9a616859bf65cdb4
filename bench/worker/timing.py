"""Trains one arm with `Model.fit` and times its epochs."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.records import Sample
from bench.worker.frameworks import import_keras, pool_threads
from bench.worker.process_facts import cpus, os_threads, peak_rss_bytes
from bench.worker.protocol import STAGES, Refusal, TimingRequest, one_line
from bench.worker.turns import Turns
from bench.worker.workload import build_model, load_workload, make_data


def measure(request: TimingRequest, enter: Callable[[str], None], turns: Turns | None) -> Sample:
    """Train as the request says and return the sample; raise Refusal for the user's faults."""
    importing, loading, building, training = STAGES

    enter(importing)
    start = time.perf_counter()
    keras = import_keras(request)
    import_seconds = time.perf_counter() - start

    enter(loading)
    parts = load_workload(request.workload)
    keras.utils.set_random_seed(request.seed)
    x, y = make_data(parts, request.seed)

    enter(building)
    start = time.perf_counter()
    model = build_model(parts, keras)
    build_seconds = time.perf_counter() - start

    enter(training)
    epochs = _train(keras, model, x, y, parts.fit, request, turns)

    intra_op_threads, inter_op_threads = pool_threads(request.backend)
    return Sample(
        import_seconds=import_seconds,
        build_seconds=build_seconds,
        epoch_seconds=tuple(epochs.seconds),
        epoch_cpu_seconds=tuple(epochs.cpu_seconds),
        losses=tuple(epochs.losses),
        accuracies=tuple(epochs.accuracies),
        examples=len(x),
        peak_rss_bytes=peak_rss_bytes(),
        jit_compile=bool(model.jit_compile),
        intra_op_threads=intra_op_threads,
        inter_op_threads=inter_op_threads,
        os_threads=os_threads(),
        cpus=cpus(),
    )


class _Epochs:
    """What the callback saw, an entry per epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.losses: list[float] = []
        self.accuracies: list[float] = []


def _train(
    keras: Any,
    model: Any,
    x: Any,
    y: Any,
    fit_settings: Mapping[str, Any],
    request: TimingRequest,
    turns: Turns | None,
) -> _Epochs:
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
            if go_on and turns is not None:
                go_on = turns.epoch_ended(epochs.seconds[-1])
                now, now_cpu = time.perf_counter(), time.process_time()  # Waiting doesn't count.
            self.previous, self.previous_cpu = now, now_cpu
            if not go_on:
                self.model.stop_training = True

    settings = dict(fit_settings)
    wanted = request.epochs or settings.get("epochs", 1)
    settings["epochs"] = max(wanted, request.least_epochs)
    try:
        model.fit(x, y, **settings, verbose=0, callbacks=[Stopwatch()])
    except Exception as error:
        raise Refusal("workload", f"training raises {one_line(error)}") from error
    if epochs.losses and not math.isfinite(epochs.losses[-1]):
        raise Refusal(
            "diverged", f"the loss became {epochs.losses[-1]} in epoch {len(epochs.losses)}"
        )
    return epochs


def _keep_busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
