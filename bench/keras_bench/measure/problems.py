"""Says what a worker's problem means to the user: the thing, the reason and the remedy."""

from pathlib import Path

from keras_bench.errors import (
    BackendError,
    BenchError,
    LossDiverged,
    Uncheckable,
    Unsupported,
    WorkloadError,
)
from keras_bench.worker.protocol import (
    Problem,
    Request,
    TimingRequest,
    Workload,
)


def error_of(problem: Problem, request: Request) -> BenchError:
    """Return the error that a worker's problem is, its traceback as a note."""
    error: BenchError
    if problem.kind == "backend":
        error = BackendError(
            request.backend,
            problem.message,
            f"install keras-bench[{request.backend}] into that environment, or name another one",
        )
    elif problem.kind == "diverged":
        error = LossDiverged(
            f"{request.workload.name} on {request.backend}",
            problem.message,
            "lower the learning rate, or look for NaN in the data",
        )
    elif problem.kind == "unsupported":
        error = Unsupported(
            f"not on {request.backend}",
            problem.message,
            problem.remedy or f"measure {_place(request.workload)} on another backend",
        )
    elif isinstance(request, TimingRequest) and problem.kind == "loop":
        error = loop_refused(request.loop, request.backend, problem.message)
    elif problem.kind == "unchecked":
        remedy = problem.remedy or "return arrays to have it checked"
        error = Uncheckable(_place(request.workload), problem.message, remedy)
    elif problem.kind == "framework":
        error = BackendError(_place(request.workload), problem.message, problem.remedy)
    else:
        what = _file(request.workload)
        if request.workload.parameters:
            what += ", or what --set says"
        remedy = problem.remedy or f"fix {what} (--debug shows the traceback)"
        error = WorkloadError(_place(request.workload), problem.message, remedy)
    error.add_note(problem.traceback)
    return error


def loop_refused(loop: str, backend: str, reason: str) -> Unsupported:
    """Return what says that a loop can't train a workload as fit would."""
    return Unsupported(f"not by {loop} on {backend}", reason, "train it by fit")


def loop_failed(loop: str, workload: Workload, reason: str) -> WorkloadError:
    """Return what says that training a workload by a loop fails, where `fit` doesn't."""
    remedy = "train it by fit (--debug shows the traceback)"
    return WorkloadError(_place(workload), f"by {loop}, {reason}", remedy)


def _place(workload: Workload) -> str:
    """Return what a problem is told of: a file or a module, and the function where told."""
    file = _file(workload)
    return file if workload.builder == "build" else f"{file}:{workload.builder}"


def _file(workload: Workload) -> str:
    return Path(workload.module).name if workload.is_file else workload.module
