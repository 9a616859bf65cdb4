"""Watches a worker that trains by `fit` with py-spy, and reads what it saw.

The worker is untimed: it is stopped for a moment with every sample.
"""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import Launcher
from keras_bench.measure.variables import thread_count
from keras_bench.records import Arm, Frame, Profile, Stack
from keras_bench.worker.protocol import TimingRequest

#: The thread that trains. Keras and the frameworks have others, which wait for it or work for it:
#: what they do shows in it as the call that waits for them.
THREAD = re.compile(r"thread \(\w+\): MainThread$")

FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(?::\d+)?\)$")

#: How a frame is told from a path, the first that fits: from the package on, or the file alone.
#: So a stored profile names no folder of the machine.
PLACES = (
    re.compile(r".*/(?:site|dist)-packages/([^/]+/.+)$"),
    re.compile(r".*/((?:site|dist)-packages/[^/]+)$"),
    re.compile(r".*/(keras/src/.+)$"),
    re.compile(r".*/(keras_bench/(?:worker|loops)/.+)$"),
    re.compile(r".*/(python3\.\d+/.+)$"),
    re.compile(r".*/([^/]+)$"),
)

#: What a stack goes through that trains.
TRAINING = re.compile(r"Trainer\.fit$")

#: Each sample stops the worker, and threads that work together with it: more would bend what is
#: seen.
SAMPLES_PER_SECOND = 250
WATCH_SECONDS = 10.0

#: What the profiler may take on top of that before it is given up.
PATIENCE_SECONDS = 60.0


class NoProfile(Exception):
    """Why there is none, with the remedy, in one line."""


def profile(
    arm: Arm, target: Target, seed: int, uncounted_epochs: int, workers: Launcher
) -> Profile:
    """Watch a worker of this arm for a few seconds, once it has trained the uncounted epochs.

    Raises:
        NoProfile: the profiler is missing, may not look, or saw no training.
        BenchError: as `Worker.answer` does.
    """
    program = _program()
    request = TimingRequest(
        workload=target.workload,
        backend=arm.backend,
        seed=seed,
        threads=thread_count(arm.threads),
        loop=arm.loop,
        watched=True,
    )
    with (
        TemporaryDirectory(prefix="keras-bench-") as folder,
        workers.start(target.python, request) as worker,
    ):
        worker.begin()
        worker.wait_for_epochs(uncounted_epochs)
        file = Path(folder) / "stacks"
        _watch(program, worker.pid, file)
        stacks = tuple(read_stacks(file.read_text(encoding="utf-8").splitlines()))
    if not stacks:
        raise NoProfile("py-spy saw no training; try again")
    return Profile(_version(program), stacks)


def read_stacks(lines: Iterable[str]) -> Iterator[Stack]:
    """Read what `py-spy record --format raw --threads` writes: the stacks that train.

    A line holds the frames, outermost first and parted by semicolons, and how often they were seen.
    """
    for line in lines:
        text, _, samples = line.rpartition(" ")
        thread, *calls = text.split(";")
        if not THREAD.match(thread):
            continue
        frames = tuple(_frame(call) for call in calls)
        if any(TRAINING.search(each.function) for each in frames):
            yield Stack(frames, int(samples))


def _frame(call: str) -> Frame:
    found = FRAME.match(call)
    if found is None:
        return Frame(call, "")
    file = found["file"]
    place = next((fits[1] for each in PLACES if (fits := each.match(file))), file)
    return Frame(found["function"], place)


def _program() -> str:
    beside = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("py-spy")
    if found is None:
        remedy = '`python -m pip install "keras-bench[explain]"` brings it'
        raise NoProfile(f"py-spy isn't installed; {remedy}")
    return found


def _version(program: str) -> str:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _watch(program: str, pid: int, file: Path) -> None:
    """Write the stacks of a process; raise NoProfile with what the profiler says."""
    command = [
        program, "record", f"--pid={pid}", f"--output={file}", "--format=raw",
        f"--duration={WATCH_SECONDS:.0f}", f"--rate={SAMPLES_PER_SECOND}",
        # Waiting for the framework is part of an epoch, too.
        "--threads", "--idle", "--full-filenames",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Out of reach of the terminal's Ctrl-C.
    ) as process:
        try:
            _, said = process.communicate(timeout=WATCH_SECONDS + PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoProfile("py-spy didn't come to an end; try again") from None
        finally:
            process.kill()
    if process.returncode != 0 or not file.exists():
        raise NoProfile(_reason(said))


def _reason(said: str) -> str:
    errors = [line.strip() for line in said.splitlines() if "rror" in line or "denied" in line]
    text = " ".join(errors)[:300] or "nothing"
    if re.search("permi|denied|root|ptrace", text, re.IGNORECASE):
        remedy = (
            "let it trace: root on macOS, SYS_PTRACE in a container,"
            " kernel.yama.ptrace_scope below 2 on Linux"
        )
    else:
        remedy = "look whether it supports this Python"
    return f"py-spy can't look into the worker, and says: {text}; {remedy}"
