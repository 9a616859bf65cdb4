"""What happens in other processes, waited for and looked at."""

import subprocess
import time
from collections.abc import Callable

import psutil

PATIENCE_SECONDS = 120.0


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Block until something holds, for as long as the process runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that a process has started, and those that they have."""
    return psutil.Process(process.pid).children(recursive=True)
