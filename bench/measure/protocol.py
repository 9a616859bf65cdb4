"""What the coordinator and a worker say to each other: lines of JSON.

The coordinator writes one request to the worker's standard input and keeps it open for as
long as it lives. The worker answers over a pipe of its own, because frameworks write to
standard output and standard error: first the stage it has come to, again and again, then
one result or one problem.
"""

import json
from dataclasses import asdict, dataclass
from typing import IO, Any

from bench.records import Sample

STAGES = ("importing the framework", "loading the workload", "building the model", "training")


@dataclass(frozen=True)
class Request:
    """What a worker is to measure.

    `epochs` is None for as many as the workload's own fit settings say, and
    `time_limit_seconds` ends the training after the epoch in which it is passed; both only
    once there are `least_epochs`. `threads` is None for what the framework does by itself.
    """

    workload_file: str
    backend: str
    seed: int
    least_epochs: int = 1
    epochs: int | None = None
    time_limit_seconds: float | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Problem:
    """What went wrong inside a worker; `kind` is "workload", "backend" or "diverged"."""

    kind: str
    message: str
    traceback: str


def write_request(stream: IO[str], request: Request) -> None:
    """Send the request as one line."""
    stream.write(json.dumps(asdict(request)) + "\n")
    stream.flush()


def read_request(stream: IO[str]) -> Request:
    """Read what `write_request` wrote."""
    return Request(**json.loads(stream.readline()))


def write_reply(stream: IO[str], key: str, value: str | Sample | Problem) -> None:
    """Send {"stage": ...}, {"sample": ...} or {"problem": ...} as one line."""
    body: Any = value if isinstance(value, str) else asdict(value)
    stream.write(json.dumps({key: body}) + "\n")
    stream.flush()
