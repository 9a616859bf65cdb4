"""Starts a worker, blocks until it answers, and leaves nothing of it behind."""

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

import bench
from bench import interrupts
from bench.errors import (
    BackendError,
    BenchError,
    LossDiverged,
    WorkerDied,
    WorkerTimeout,
    WorkloadError,
)
from bench.measure.environments import worker_variables
from bench.measure.protocol import Problem, Request, write_request
from bench.records import Sample

#: How much of what a worker prints is kept for the error message; the rest is read and dropped.
OUTPUT_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Launcher:
    """What every worker of a run shares: a temporary folder and the longest wait.

    The folder holds a configuration for Keras and a link to this package. The link makes
    `bench` importable in a worker's environment, and nothing else of the coordinator's.
    """

    folder: Path
    timeout_seconds: float

    def run(self, python: str, request: Request) -> Sample:
        """Run one worker to its end and return its sample, with `process_seconds` filled in.

        Raises:
            WorkloadError, BackendError, LossDiverged: as the worker says.
            WorkerDied: it ended without an answer.
            WorkerTimeout: it gave none within `timeout_seconds`, and was ended.
        """
        start = time.perf_counter()
        conversation = _converse(python, request, self)
        seconds = time.perf_counter() - start
        thing = f"{Path(request.workload_file).stem} on {request.backend}"
        if conversation.sample is not None:
            return replace(conversation.sample, process_seconds=seconds)
        if conversation.problem is not None:
            raise _as_error(conversation.problem, request)
        if conversation.exit_code is None:
            raise WorkerTimeout(
                thing,
                f"no answer after {self.timeout_seconds:g} s while {conversation.stage}",
                "give it longer with --timeout SECONDS, or train for fewer epochs",
            )
        raise WorkerDied(
            thing,
            f"the worker {_cause_of_death(conversation.exit_code)} while {conversation.stage}",
            f"it last printed: {conversation.last_line or 'nothing'}",
        )


@contextmanager
def launcher(timeout_seconds: float) -> Iterator[Launcher]:
    """Make the temporary folder of a run's workers, and remove it afterwards."""
    with TemporaryDirectory(prefix="keras-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "import").mkdir()
        (folder / "keras").mkdir()
        datasets = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
        if datasets.is_dir():  # What keras.datasets has downloaded need not come again.
            (folder / "keras" / "datasets").symlink_to(datasets, target_is_directory=True)
        (folder / "import" / "bench").symlink_to(
            Path(bench.__file__).resolve().parent, target_is_directory=True
        )
        yield Launcher(folder, timeout_seconds)


@dataclass
class _Conversation:
    """What came from one worker. `exit_code` is None where it had to be ended."""

    stage: str = "starting"
    sample: Sample | None = None
    problem: Problem | None = None
    exit_code: int | None = None
    output_tail: bytes = b""
    partial_line: bytes = field(default=b"")

    @property
    def answered(self) -> bool:
        return self.sample is not None or self.problem is not None

    @property
    def last_line(self) -> str:
        lines = self.output_tail.decode(errors="replace").strip().splitlines()
        return lines[-1][-300:].strip() if lines else ""

    def hear(self, chunk: bytes) -> None:
        *lines, self.partial_line = (self.partial_line + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.stage = message.get("stage", self.stage)
            if "sample" in message:
                self.sample = msgspec.convert(message["sample"], Sample)
            if "problem" in message:
                self.problem = msgspec.convert(message["problem"], Problem)


def _converse(python: str, request: Request, shared: Launcher) -> _Conversation:
    reply_fd, workers_fd = os.pipe()
    variables = worker_variables(request.backend, request.threads, shared.folder / "keras")
    variables["PYTHONPATH"] = str(shared.folder / "import")
    process = None
    try:
        with interrupts.deferred():  # No worker may start without our knowing it.
            process = subprocess.Popen(
                [python, "-m", "bench.measure.worker", str(workers_fd)],
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(workers_fd,),
                # Out of reach of the terminal's Ctrl-C, and a group that can be ended whole.
                start_new_session=True,
            )
            os.close(workers_fd)
        return _listen(process, request, reply_fd, shared.timeout_seconds)
    except OSError as error:
        if process is not None:
            raise
        os.close(workers_fd)
        raise BackendError(
            python, f"can't be started ({error.strerror})", "name another interpreter with --env"
        ) from None
    finally:
        # Answered, timed out or interrupted: its whole group ends here, teardown and children.
        if process is not None:
            _end(process)
        os.close(reply_fd)


def _listen(
    process: subprocess.Popen[bytes], request: Request, reply_fd: int, timeout_seconds: float
) -> _Conversation:
    assert process.stdin is not None
    assert process.stdout is not None
    conversation = _Conversation()
    deadline = time.monotonic() + timeout_seconds
    try:
        with open(process.stdin.fileno(), "w", encoding="utf-8", closefd=False) as stdin:
            write_request(stdin, request)
    except BrokenPipeError:
        pass  # It died at once; the reply's end says so below.
    with selectors.DefaultSelector() as selector:
        selector.register(reply_fd, selectors.EVENT_READ)
        selector.register(process.stdout, selectors.EVENT_READ)
        while not conversation.answered:
            # Blocks: nothing of the coordinator runs while an epoch is timed.
            events = selector.select(max(0.0, deadline - time.monotonic()))
            if not events:
                return conversation
            for key, _ in events:
                chunk = os.read(key.fd, 1 << 20)
                if key.fd != reply_fd:
                    tail = conversation.output_tail + chunk
                    conversation.output_tail = tail[-OUTPUT_TAIL_BYTES:]
                    if not chunk:
                        selector.unregister(key.fileobj)
                elif chunk:
                    conversation.hear(chunk)
                else:
                    return _bury(process, conversation, deadline)
            if time.monotonic() > deadline:
                return conversation
    return conversation


def _bury(
    process: subprocess.Popen[bytes], conversation: _Conversation, deadline: float
) -> _Conversation:
    """Read the last words of a worker that ended without an answer."""
    assert process.stdout is not None
    try:
        conversation.exit_code = process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return conversation
    os.set_blocking(process.stdout.fileno(), False)
    try:
        while chunk := os.read(process.stdout.fileno(), 1 << 20):
            conversation.output_tail = (conversation.output_tail + chunk)[-OUTPUT_TAIL_BYTES:]
    except BlockingIOError:
        pass  # A child of the worker still holds the pipe open.
    return conversation


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _cause_of_death(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    name = signal.Signals(-exit_code).name
    hint = ", as the kernel does when memory runs out," if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def _as_error(problem: Problem, request: Request) -> BenchError:
    error: BenchError
    if problem.kind == "backend":
        error = BackendError(
            request.backend,
            problem.message,
            f"install keras-bench[{request.backend}] into that environment, or name another "
            f"with --env {request.backend}=PYTHON",
        )
    elif problem.kind == "diverged":
        error = LossDiverged(
            f"{Path(request.workload_file).stem} on {request.backend}",
            problem.message,
            "lower the learning rate, or look for NaN in the data",
        )
    else:
        error = WorkloadError(
            Path(request.workload_file).name,
            problem.message,
            "mend the file (--debug shows the traceback)",
        )
    error.add_note(problem.traceback)
    return error
