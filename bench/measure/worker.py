"""The worker: one process that runs one arm, and the only place where Keras is imported.

Started as `python -m bench.measure.worker REPLY_FD` in an environment that may hold nothing
but Keras, one framework and NumPy. Nothing imports this module.
"""

import importlib
import importlib.util
import math
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.measure.protocol import STAGES, Problem, Request, read_request, write_reply
from bench.records import Sample

#: Arguments of `Model.fit` that the suite sets itself.
RESERVED_FIT_SETTINGS = ("x", "y", "verbose", "callbacks", "initial_epoch")


class Refusal(Exception):
    """Ends the worker with a problem that the user can mend."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main() -> None:
    """Answer one request, then end the process without the frameworks' slow teardown."""
    reply_fd = int(sys.argv[1])
    os.set_inheritable(reply_fd, False)
    with os.fdopen(reply_fd, "w", encoding="utf-8") as reply:
        request = read_request(sys.stdin)
        _die_with_the_coordinator()
        try:
            sample = measure(request, lambda stage: write_reply(reply, "stage", stage))
        except Refusal as refusal:
            write_reply(
                reply, "problem", Problem(refusal.kind, str(refusal), traceback.format_exc())
            )
        else:
            write_reply(reply, "sample", sample)
    os._exit(0)


def measure(request: Request, enter: Callable[[str], None]) -> Sample:
    """Train as the request says and return the sample; raise Refusal for the user's faults."""
    importing, loading, building, training = STAGES

    enter(importing)
    start = time.perf_counter()
    keras = _import_keras(request)
    import_seconds = time.perf_counter() - start

    enter(loading)
    workload = _load_workload(Path(request.workload_file))
    fit_settings = _fit_settings(workload)
    keras.utils.set_random_seed(request.seed)
    x, y = _data(workload, request.seed)

    enter(building)
    start = time.perf_counter()
    model = _build(workload, keras)
    build_seconds = time.perf_counter() - start

    enter(training)
    epochs = _train(keras, model, x, y, fit_settings, request)

    intra_op_threads, inter_op_threads = _pool_threads(request.backend)
    return Sample(
        import_seconds=import_seconds,
        build_seconds=build_seconds,
        epoch_seconds=tuple(epochs.seconds),
        epoch_cpu_seconds=tuple(epochs.cpu_seconds),
        losses=tuple(epochs.losses),
        accuracies=tuple(epochs.accuracies),
        examples=len(x),
        peak_rss_bytes=_peak_rss_bytes(),
        jit_compile=bool(model.jit_compile),
        intra_op_threads=intra_op_threads,
        inter_op_threads=inter_op_threads,
        os_threads=_os_threads(),
        cpus=tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else (),
    )


def _die_with_the_coordinator() -> None:
    """End this process when standard input closes, so that no worker outlives its coordinator.

    The thread blocks in read and costs nothing while an epoch is timed.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _import_keras(request: Request) -> Any:
    backend = request.backend
    try:
        framework = importlib.import_module(backend)
        if request.threads is not None:
            _limit_threads(framework, backend, request.threads)
        keras = importlib.import_module("keras")
    except ModuleNotFoundError as error:
        raise Refusal("backend", f"has no module named {error.name}") from error
    except Exception as error:
        raise Refusal("backend", f"breaks at import with {_one_line(error)}") from error
    found = keras.backend.backend()
    if found != backend:
        raise Refusal("backend", f"Keras came up with the {found} backend")
    return keras


def _limit_threads(framework: Any, backend: str, threads: int) -> None:
    """Set the pools that can't be set by an environment variable."""
    if backend == "torch":
        framework.set_num_threads(threads)
        framework.set_num_interop_threads(threads)
    elif backend == "tensorflow":
        framework.config.threading.set_intra_op_parallelism_threads(threads)
        framework.config.threading.set_inter_op_parallelism_threads(threads)


def _pool_threads(backend: str) -> tuple[int | None, int | None]:
    """Return the threads within and between operations, as the framework itself tells them.

    TensorFlow answers 0 for "as many as there are cores"; JAX doesn't tell.
    """
    framework = sys.modules[backend]
    if backend == "torch":
        return framework.get_num_threads(), framework.get_num_interop_threads()
    if backend == "tensorflow":
        pools = framework.config.threading
        return pools.get_intra_op_parallelism_threads(), pools.get_inter_op_parallelism_threads()
    return None, None


def _load_workload(path: Path) -> ModuleType:
    # As if the file were run by itself: what lies beside it can be imported.
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Refusal("workload", "isn't a Python file")
    module = importlib.util.module_from_spec(spec)
    # Keras and pickle look a custom class up by the name of its module.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise Refusal("workload", f"line {error.lineno} has a syntax error: {error.msg}") from error
    except Exception as error:
        raise Refusal("workload", f"breaks at import with {_one_line(error)}") from error
    for name in ("build", "data"):
        if not callable(getattr(module, name, None)):
            raise Refusal("workload", f"has no function {name}()")
    return module


def _fit_settings(workload: ModuleType) -> dict[str, Any]:
    settings = getattr(workload, "FIT", {})
    if not isinstance(settings, Mapping):
        raise Refusal("workload", f"FIT is a {type(settings).__name__} instead of a dict")
    for name in RESERVED_FIT_SETTINGS:
        if name in settings:
            raise Refusal("workload", f"FIT sets {name!r}, which the suite sets itself")
    epochs = settings.get("epochs", 1)
    if not isinstance(epochs, int) or epochs < 1:
        raise Refusal("workload", f"FIT has epochs={epochs!r} instead of a whole number above 0")
    return dict(settings)


def _data(workload: ModuleType, seed: int) -> tuple[Any, Any]:
    try:
        arrays = workload.data(seed)
    except Exception as error:
        raise Refusal("workload", f"data({seed}) raises {_one_line(error)}") from error
    if not isinstance(arrays, tuple) or len(arrays) != 2:
        raise Refusal("workload", "data() doesn't return a pair of arrays (x, y)")
    x, y = arrays
    for name, array in (("x", x), ("y", y)):
        if not getattr(array, "shape", ()):
            raise Refusal("workload", f"data() returns {name} as {type(array).__name__}, no array")
    if len(x) != len(y):
        raise Refusal("workload", f"data() returns {len(x)} x and {len(y)} y")
    if len(x) == 0:
        raise Refusal("workload", "data() returns no examples")
    return x, y


def _build(workload: ModuleType, keras: Any) -> Any:
    try:
        model = workload.build()
    except Exception as error:
        raise Refusal("workload", f"build() raises {_one_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise Refusal("workload", f"build() returns a {type(model).__name__}, no keras.Model")
    if not model.compiled:
        raise Refusal("workload", "build() returns a model that isn't compiled")
    return model


class _Epochs:
    """What the callback saw, an entry per epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.losses: list[float] = []
        self.accuracies: list[float] = []


def _train(
    keras: Any, model: Any, x: Any, y: Any, fit_settings: dict[str, Any], request: Request
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
            now, now_cpu = time.perf_counter(), time.process_time()
            epochs.seconds.append(now - self.previous)
            epochs.cpu_seconds.append(now_cpu - self.previous_cpu)
            self.previous, self.previous_cpu = now, now_cpu
            loss = float((logs or {})["loss"])
            epochs.losses.append(loss)
            if "accuracy" in (logs or {}):
                epochs.accuracies.append(float((logs or {})["accuracy"]))
            enough = len(epochs.seconds) >= request.least_epochs
            late = now - self.start > time_limit_seconds
            if not math.isfinite(loss) or (enough and late):
                self.model.stop_training = True

    settings = dict(fit_settings)
    wanted = request.epochs or settings.get("epochs", 1)
    settings["epochs"] = max(wanted, request.least_epochs)
    try:
        model.fit(x, y, **settings, verbose=0, callbacks=[Stopwatch()])
    except Exception as error:
        raise Refusal("workload", f"training raises {_one_line(error)}") from error
    if epochs.losses and not math.isfinite(epochs.losses[-1]):
        raise Refusal(
            "diverged", f"the loss became {epochs.losses[-1]} in epoch {len(epochs.losses)}"
        )
    return epochs


def _peak_rss_bytes() -> int:
    # getrusage starts from the parent's peak on Linux, VmHWM from this program's own.
    status = Path("/proc/self/status")
    if status.exists():
        return int(_status_field(status, "VmHWM")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _os_threads() -> int | None:
    status = Path("/proc/self/status")
    return int(_status_field(status, "Threads")) if status.exists() else None


def _status_field(status: Path, name: str) -> str:
    for line in status.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.split()[0]
    raise KeyError(name)


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


if __name__ == "__main__":
    main()
