"""What the coordinator and a worker say to each other: lines of JSON.

The coordinator writes a request to the worker's standard input and keeps it open for as
long as it lives. The worker answers over a pipe of its own, because frameworks write to
standard output and standard error: the stage it has come to, again and again, and what the
request asks for, or one problem.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import IO, Any

from keras_bench.records import DEFAULT_LOOPS, Parameter

#: What a worker does before it trains or predicts.
STAGES_BEFORE = ("importing the framework", "loading the workload", "building the model")

#: Then it waits to be let go, where others are measured together with it.
READY = "waiting to begin"

#: What it does then. A loop that compiles whole epochs is compiling until its first one is over.
TRAINING, PREDICTING = "training", "predicting"
COMPILING = "compiling the epoch"

#: The loops that do.
COMPILED_LOOPS = ("fused", "bare")


@dataclass(frozen=True)
class Workload:
    """A workload, and where a worker finds it.

    `name` is what it is called in every table. `module` is a path that ends in .py, or the dotted
    name of a module; what it imports is looked for in `folder`, too. `builder` is its function that
    returns the model. `parameters` take the place of fit settings and of its functions' defaults.
    """

    name: str
    module: str
    folder: str
    builder: str = "build"
    parameters: tuple[tuple[str, Parameter], ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is found by a path, and not by what is installed."""
        return self.module.endswith(".py")


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which arm a worker is about. `threads` is None for what the framework does by itself."""

    workload: Workload
    backend: str
    seed: int
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class TimingRequest(Request):
    """Train by a loop and time; the answers are an `Epoch` after each, and at the end a `Sample`.

    It begins when it is told to GO, and ends within the epoch in which it is told to STOP; with a
    number of `epochs` it does both by itself. At the end of every epoch the worker works for
    `added_cpu_seconds` more: a slowdown of known size. `watched` lets other programs look into it.
    """

    loop: str = DEFAULT_LOOPS["train"]
    epochs: int | None = None
    added_cpu_seconds: float = 0.0
    watched: bool = False


@dataclass(frozen=True, kw_only=True)
class PredictingRequest(Request):
    """Predict one batch again and again, and time it; the answers are as of a training.

    The batch is as large as the workload's fit settings say. An `Epoch` is a block of calls.
    """

    epochs: int | None = None


@dataclass(frozen=True, kw_only=True)
class PredictionsRequest(Request):
    """Show what the model predicts for one batch; the answer is `Predictions`.

    `given` is the file of another worker, whose weights and batch are taken, None for the model's
    own. `file` is where the arrays are left.
    """

    given: str | None
    file: str


@dataclass(frozen=True)
class Predictions:
    """Where a worker has left what it predicted, and the precision that it computes in."""

    file: str
    precision: str


#: Begin and end the training of a worker, or its predicting.
GO, STOP = "go", "stop"


@dataclass(frozen=True)
class Epoch:
    """When an epoch began and ended by the monotonic clock, which goes on while one is stopped."""

    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, kw_only=True)
class ComparedRequest(Request):
    """Train so that it can be compared, by scripts that are sent afterwards.

    `dtype` is "float32" or "float64", and so is `data_dtype`, to which the data are rounded
    first. `folder` is where arrays are left, in files that begin with `name`.
    """

    dtype: str
    data_dtype: str
    folder: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ParityRequest(ComparedRequest):
    """Show how the model learns; the answers are a `Blueprint` and an `Observation` per script."""


@dataclass(frozen=True, kw_only=True)
class FreeTrainingRequest(ComparedRequest):
    """Train by one call of `Model.fit`; the answer is an `Observation` per script."""


@dataclass(frozen=True)
class Script:
    """What to do with a model; a worker is sent one after another.

    `task` is to "record" a free training, to "repeat" the stages of steps with given inputs,
    both with what random rounding by `unit_roundoff` does to them, to "observe" the stages, or to
    "reorder" the examples of their batches. Of a free training it is to "fit", and then to
    "reorder" the examples within each batch. `file` holds the initial weights ("initial/<path>"),
    the order of the examples in each epoch ("order/<epoch>"), and the inputs of the stages.
    `points` are the steps to take apart, each an epoch and a step, counted from 1.
    """

    task: str

    file: str
    epochs: int
    batch_size: int
    points: tuple[tuple[int, int], ...]
    unit_roundoff: float


@dataclass(frozen=True)
class Observation:
    """Where a worker has left the arrays it saw."""

    file: str


#: Asks for the first steps of a training by themselves.
STEPS_APART = "steps apart"


@dataclass(frozen=True, kw_only=True)
class LoopParityRequest(Request):
    """Train by `fit` from a start, and from the same one by every loop that is named then.

    The first answer is an `Observation` of what `fit` leaves. After it each line that the worker
    reads is a loop, and answered by a `LoopTraining`. `folder` is where arrays are left. The line
    may be `STEPS_APART` first: then the next answer is an `Observation` of the first steps of
    `fit`, each by itself, and every loop takes them as well.
    """

    epochs: int
    folder: str


@dataclass(frozen=True)
class LoopTraining:
    """Where a worker has left what a loop gave, or else why there is nothing.

    `refusal` is the loop's own, `error` what it raised.
    """

    file: str = ""
    refusal: str = ""
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Problem:
    """What went wrong inside a worker.

    `kind` is "workload", "backend" where the framework is missing, "framework" where it fails by
    itself, "diverged", "unsupported" where the workload isn't for this backend, "loop" where its
    loop can't train it, or "unchecked" where parity has no means to compare it. `remedy` is empty
    where it is that of the kind: to fix the workload's file, say.
    """

    kind: str
    message: str
    traceback: str
    remedy: str = ""


#: What can be asked of a worker, by its name on the wire.
REQUESTS: dict[str, type[Request]] = {
    "timing": TimingRequest,
    "predicting": PredictingRequest,
    "parity": ParityRequest,
    "free_training": FreeTrainingRequest,
    "loop_parity": LoopParityRequest,
    "predictions": PredictionsRequest,
}


class Refusal(Exception):
    """Ends the worker with a problem that the user can mend."""

    def __init__(self, kind: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.remedy = remedy


def encode_request(request: Request) -> str:
    """Write the request as one line."""
    (name,) = (name for name, kind in REQUESTS.items() if isinstance(request, kind))
    return json.dumps({name: asdict(request)})


def decode_request(line: str) -> Request:
    """Read what `encode_request` wrote."""
    ((name, body),) = json.loads(line).items()
    workload = body.pop("workload")
    workload["parameters"] = tuple((name, value) for name, value in workload["parameters"])
    return REQUESTS[name](**body, workload=Workload(**workload))


def encode_script(script: Script) -> str:
    """Write the script as one line."""
    return json.dumps(asdict(script))


def decode_script(line: str) -> Script:
    """Read what `encode_script` wrote."""
    body = json.loads(line)
    return Script(**body | {"points": tuple(tuple(point) for point in body["points"])})


def write_reply(stream: IO[str], key: str, value: Any) -> None:
    """Send {"stage": text} or {key: the fields of a dataclass} as one line."""
    body = value if isinstance(value, str) else asdict(value)
    stream.write(json.dumps({key: body}) + "\n")
    stream.flush()


def one_line(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
