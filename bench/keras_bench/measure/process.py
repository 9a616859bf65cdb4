"""Starts workers, blocks until they answer, and leaves nothing of them behind."""

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psutil

import keras_bench
from keras_bench import interrupts
from keras_bench.errors import (
    BackendError,
    BenchError,
    WorkerDied,
    WorkerTimeout,
    WorkloadError,
)
from keras_bench.measure.answers import NoAnswer, check, converted, read_line
from keras_bench.measure.demand import Demand, demand
from keras_bench.measure.offspring import VARIABLE, end_offspring, new_mark
from keras_bench.measure.problems import error_of
from keras_bench.measure.variables import without_values, worker_variables
from keras_bench.measure.watchdog import Watchdog
from keras_bench.records import DEFAULT_LOOPS, Sample, contender
from keras_bench.worker.protocol import (
    COMPILING,
    GO,
    READY,
    Epoch,
    Problem,
    Request,
    TimingRequest,
    encode_request,
)

#: How much of what a worker prints is kept for the error message; the rest is read and dropped.
OUTPUT_TAIL_BYTES = 8192

#: How much of the longest wait a worker may compile: more is no gain to anybody.
COMPILING_SHARE = 0.4

#: What a process may take to end once its reply has.
ENDING_SECONDS = 10.0

#: The fields of answers that hold texts for the user, which may be stored.
TEXTS = ("message", "traceback", "refusal", "error")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Launcher:
    """What every worker of a run shares: a temporary folder, the longest wait, and variables.

    The folder holds a configuration for Keras and a link to this package. The link makes
    `keras_bench` importable in a worker's environment, and nothing else of the coordinator's.
    `passed` are the variables of the user's shell that workers get too.
    """

    folder: Path
    timeout_seconds: float
    watchdog: Watchdog
    passed: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, python: str, request: Request) -> Sample:
        """Run one worker to its end and return its sample, with `process_seconds` filled in.

        Raises what `Worker.answer` raises.
        """
        start = time.perf_counter()
        with self.start(python, request) as worker:
            sample = worker.answer(Sample)
            return replace(sample, process_seconds=time.perf_counter() - start)

    @contextmanager
    def start(self, python: str, request: Request) -> Iterator["Worker"]:
        """Start a worker, and end it with its whole group when the block is left.

        Raises:
            BackendError: the interpreter can't be started.
        """
        _furnish(self.folder)
        reply_fd, workers_fd = os.pipe()
        process = worker = None
        variables = worker_variables(
            request.backend, request.threads, self.folder / "keras", self.passed
        )
        variables["PYTHONPATH"] = str(self.folder / "import")
        mark = new_mark(self.watchdog.run)
        variables[VARIABLE] = mark
        try:
            with interrupts.deferred():  # No worker may start without our knowing it.
                process = subprocess.Popen(
                    [python, "-m", "keras_bench.worker", str(workers_fd)],
                    env=variables,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(workers_fd,),
                    # Out of reach of the terminal's Ctrl-C, and a group that can be ended whole.
                    start_new_session=True,
                )
                os.close(workers_fd)
                self.watchdog.watch(process.pid)
            worker = Worker(
                process, reply_fd, request, self.timeout_seconds, self.watchdog, self.passed
            )
            worker.tell(encode_request(request))
            yield worker
        except OSError as error:
            if process is not None:
                raise
            os.close(workers_fd)
            raise BackendError(
                python,
                f"can't be started ({error.strerror})",
                "name another interpreter",
            ) from None
        finally:
            # Answered, timed out or interrupted: its whole group ends here, and its teardown.
            if process is not None:
                groups = (process.pid,) if worker is None else worker.groups
                _end(process, groups)
                end_offspring(mark)
                for group in groups:
                    self.watchdog.forget(group)
            os.close(reply_fd)


class Worker:
    """A worker process that has been started, and what has come from it so far."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reply_fd: int,
        request: Request,
        timeout_seconds: float,
        watchdog: Watchdog,
        passed: Mapping[str, str],
    ) -> None:
        self._process = process
        self._reply_fd = reply_fd
        self._request = request
        self._timeout_seconds = timeout_seconds
        self._watchdog = watchdog
        self._passed = passed
        self._deadline = time.monotonic() + timeout_seconds
        self._stage = "starting"
        self._compiling_since = self._left_seconds = 0.0
        self._answers: deque[tuple[str, Any]] = deque()
        #: Those that the worker has told of, in their order.
        self.epochs: list[Epoch] = []
        self._partial_line = b""
        self._output_tail = b""
        #: The process groups of the worker and its children, as far as they are known.
        self.groups: tuple[int, ...] = (process.pid,)
        self._pids: tuple[int, ...] = (process.pid,)
        self._has_ended = False

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def tell(self, line: str) -> None:
        """Send the worker a line; the time for its next answer starts now."""
        assert self._process.stdin is not None
        self._deadline = time.monotonic() + self._timeout_seconds
        # Where it has died, the reply's end says so to the one that waits for the answer.
        with suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno(), f"{line}\n".encode())

    def answer(self, kind: type[Answer]) -> Answer:
        """Block until the worker has answered and return its next answer, of this kind.

        Epochs are no answers.

        Raises:
            WorkloadError, BackendError, LossDiverged, Uncheckable: as the worker says.
            WorkerDied: it ended without an answer.
            WorkerTimeout: it gave none within the longest wait.
        """
        if not self._listen(lambda: bool(self._answers)):
            raise self.failure()
        name, body = self._answers.popleft()
        # What is said may be stored, and the values of variables are not to be.
        if isinstance(body, dict):
            body |= {
                key: without_values(body[key], self._passed)
                for key in TEXTS
                if isinstance(body.get(key), str)
            }
        with self._reading():
            if name == "problem":
                raise error_of(converted(body, Problem), self._request)
            answer = converted(body, kind)
            if isinstance(answer, Sample):
                check(answer, len(self.epochs))
        return answer

    def wait_until_ready(self) -> None:
        """Block until the worker waits to be let go; raise what `answer` raises."""
        if not self._listen(lambda: self._stage == READY or bool(self._answers)):
            raise self.failure()
        if self._stage != READY:
            self._unexpected()

    def begin(self) -> None:
        """Let the worker train or predict as soon as it is ready; raise what `answer` raises."""
        self.wait_until_ready()
        self.tell(GO)

    def wait_for_epochs(self, count: int) -> None:
        """Block until the worker has told of so many epochs; raise what `answer` raises.

        After its first one, each may take the longest wait.
        """
        if self.epochs:
            self._deadline = time.monotonic() + self._timeout_seconds
        if not self._listen(lambda: len(self.epochs) >= count or bool(self._answers)):
            raise self.failure()
        if len(self.epochs) < count:
            self._unexpected()

    def hear(self) -> None:
        """Read what the worker has told so far, without blocking; raise what `answer` raises."""
        self._listen(lambda: True)
        if self._answers:
            self._unexpected()
        if self._has_ended:
            raise self.failure()

    def _unexpected(self) -> None:
        """Raise what the worker has answered instead of an epoch."""
        if self._answers[0][0] == "problem":
            self.answer(Problem)
        raise WorkloadError(
            self._thing,
            f"its training ended by itself after epoch {len(self.epochs)}",
            "let it train as many epochs as fit is told",
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker's process groups: all of it and its children."""
        for group in self.groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    def find_groups(self) -> None:
        """Look for children of the worker that have left its process group for another one."""
        groups = {self._process.pid: None}
        with suppress(psutil.Error):
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._pids = (self._process.pid, *(child.pid for child in children))
            for child in children:
                with suppress(ProcessLookupError):
                    groups[os.getpgid(child.pid)] = None
        for group in groups.keys() - set(self.groups):
            self._watchdog.watch(group)
        self.groups = tuple(groups)

    def demand(self) -> Demand | None:
        """Return how long it and its children have asked for a core so far."""
        return demand(self._pids)

    def _listen(self, is_enough: Callable[[], bool]) -> bool:
        """Read what there is, and on until it is enough; tell whether it is."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._reply_fd, selectors.EVENT_READ)
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while True:
                # Blocks: nothing of the coordinator runs while an epoch is timed.
                wait = 0.0 if is_enough() else max(0.0, self._deadline - time.monotonic())
                events = selector.select(wait)
                for key, _ in events:
                    chunk = os.read(key.fd, 1 << 20)
                    if key.fd != self._reply_fd:
                        self._keep_output(chunk)
                        if not chunk:
                            selector.unregister(key.fileobj)
                    elif chunk:
                        self._hear(chunk)
                    else:
                        self._has_ended = True
                        return is_enough()
                if is_enough():
                    return True
                if time.monotonic() > self._deadline:
                    return False

    def _hear(self, chunk: bytes) -> None:
        *lines, self._partial_line = (self._partial_line + chunk).split(b"\n")
        for line in lines:
            with self._reading():
                name, content = read_line(line)
                if name == "stage":
                    self._enter(converted(content, str))
                elif name == "epoch":
                    self.epochs.append(converted(content, Epoch))
                else:
                    self._answers.append((name, content))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise, where what is read in the block is no answer, whose fault that is."""
        try:
            yield
        except NoAnswer as error:
            raise WorkloadError(self._thing, str(error), error.remedy) from None

    @property
    def _thing(self) -> str:
        request = self._request
        return f"{request.workload.name} on {request.backend}"

    def _enter(self, stage: str) -> None:
        now = time.monotonic()
        if stage == COMPILING:
            self._left_seconds = self._deadline - now
            self._deadline = now + min(self._left_seconds, self._compiling_seconds)
            self._compiling_since = now
        elif self._stage == COMPILING:
            self._deadline = self._compiling_since + self._left_seconds
        self._stage = stage

    @property
    def _compiling_seconds(self) -> float:
        return self._timeout_seconds * COMPILING_SHARE

    def _keep_output(self, chunk: bytes) -> None:
        self._output_tail = (self._output_tail + chunk)[-OUTPUT_TAIL_BYTES:]

    def failure(self) -> BenchError:
        """Return why there was no answer: the time was over, or the process has ended."""
        request = self._request
        loop = request.loop if isinstance(request, TimingRequest) else DEFAULT_LOOPS["train"]
        thing = f"{request.workload.name} on {contender(request.backend, loop)}"
        try:
            # A reply that has ended is followed by the process itself.
            least = ENDING_SECONDS if self._has_ended else 0.1
            exit_code = self._process.wait(max(least, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            if self._stage == COMPILING:
                longest = f"{self._compiling_seconds:g} s"
                return WorkerTimeout(
                    thing,
                    f"its first epoch, compiling included, took more than {longest}",
                    f"give it longer with --timeout SECONDS, of which that may take"
                    f" {COMPILING_SHARE:.0%}, or train it by fit",
                )
            return WorkerTimeout(
                thing,
                f"no answer after {self._timeout_seconds:g} s while {self._stage}",
                "give it longer with --timeout SECONDS, or less to train or predict",
            )
        self._read_last_words()
        output = without_values(self._output_tail.decode(errors="replace"), self._passed)
        lines = output.strip().splitlines()
        return WorkerDied(
            thing,
            f"the worker {_cause_of_death(exit_code)} while {self._stage}",
            f"it last printed: {lines[-1][-300:].strip() if lines else 'nothing'}",
        )

    def _read_last_words(self) -> None:
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        # Reading blocks where a child of the worker still holds the pipe open.
        with suppress(BlockingIOError):
            while chunk := os.read(self._process.stdout.fileno(), 1 << 20):
                self._keep_output(chunk)


@contextmanager
def launcher(timeout_seconds: float, variables: Sequence[str] = ()) -> Iterator[Launcher]:
    """Make the temporary folder of a run's workers, and remove it afterwards.

    `variables` are the names of those that are passed on to them.
    """
    with TemporaryDirectory(prefix="keras-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _furnish(folder)
        passed = {name: os.environ[name] for name in variables}
        with Watchdog() as watchdog:
            yield Launcher(folder, timeout_seconds, watchdog, passed)


def _furnish(folder: Path) -> None:
    """Make what a worker needs in the temporary folder, where it isn't there or no longer."""
    package = folder / "import" / "keras_bench"
    if package.exists():
        return
    package.parent.mkdir(parents=True, exist_ok=True)
    (folder / "keras").mkdir(exist_ok=True)
    links = {package: Path(keras_bench.__file__).resolve().parent}
    datasets = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    if datasets.is_dir():  # What keras.datasets has downloaded need not come again.
        links[folder / "keras" / "datasets"] = datasets
    for link, target in links.items():
        with suppress(FileExistsError):
            link.symlink_to(target, target_is_directory=True)


def _end(process: subprocess.Popen[bytes], groups: Sequence[int]) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
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
