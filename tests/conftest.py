"""What several tests share: the command line as a user calls it, and the interpreters."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FAKE_PYTHON = """#!{python}
import json, os, queue, sys, threading, time
if "-m" not in sys.argv:
    print(json.dumps(["3.11.0", {{"keras": "3.0", "jax": "1", "torch": "2", "tensorflow": "3"}}]))
    sys.exit()
reply = int(sys.argv[-1])
((asked, request),) = json.loads(sys.stdin.readline()).items()
inbox = queue.SimpleQueue()

def hear():
    for line in sys.stdin:
        inbox.put(line.strip())
    os._exit(1)

threading.Thread(target=hear, daemon=True).start()

def say(key, value):
    os.write(reply, (json.dumps({{key: value}}) + "\\n").encode())

def sample(epoch_seconds=0.0001, claimed_seconds=None):
    epoch_seconds += request.get("busy_wait_seconds", 0.0)
    if request.get("turns_after_epochs") is None:
        epochs = request["epochs"] or 20
        time.sleep(epoch_seconds * epochs)
    else:
        epochs = request["turns_after_epochs"]
        while True:
            say("turn", dict(epoch_seconds=epoch_seconds))
            word = inbox.get()
            if word == "stop":
                break
            time.sleep(epoch_seconds * int(word))
            epochs += int(word)
    claimed = [epoch_seconds if claimed_seconds is None else claimed_seconds] * epochs
    say("sample", dict(
        import_seconds=0.0, build_seconds=0.0, epoch_seconds=claimed,
        epoch_cpu_seconds=claimed, accuracies=[],
        losses=[] if asked == "predicting" else [0.5] * epochs,
        examples=100, peak_rss_bytes=10**8, jit_compile=True, intra_op_threads=None,
        inter_op_threads=None, os_threads=3, cpus=[0]))

if asked in ("parity", "loop_parity", "predictions"):
    say("problem", dict(kind="workload", message="has no parity", traceback=""))
    sys.exit()
{behaviour}
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="draw simulations in full; a tenth by default"
    )


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[[str], str]:
    """Make an interpreter that holds every backend and whose worker behaves as told."""

    def make(behaviour: str) -> str:
        file = tmp_path / f"python{len(list(tmp_path.glob('python*')))}"
        file.write_text(FAKE_PYTHON.format(python=sys.executable, behaviour=behaviour))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    return make


@pytest.fixture(scope="session")
def pythons() -> dict[str, str]:
    """The interpreters of the three backends, which `nox -s tests` makes."""
    found = {
        backend: os.environ.get(f"KERAS_BENCH_TEST_{backend.upper()}", "")
        for backend in ("tensorflow", "jax", "torch")
    }
    if not all(found.values()):
        pytest.skip("the backends' environments are missing: run `nox -s tests`")
    return found


@pytest.fixture
def keras_bench(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line in a folder of its own, with a temporary folder of its own."""
    folder = tmp_path / "cwd"
    temporary = tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    started = []
    # What the tests find is nothing for the page of the workflow that runs them.
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "keras_bench", *arguments],
            cwd=folder,
            env={**surroundings, "TMPDIR": str(temporary), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def run_cli(keras_bench) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line to its end."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = keras_bench(*arguments, **variables)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    return run


@pytest.fixture
def tiny_disk(tmp_path):
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root and the command mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"this root may not mount a disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
