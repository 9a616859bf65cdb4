"""Ends the workers of a coordinator that has ended in whatever way, even by `kill -9`.

A worker that is stopped can't see that its coordinator is gone, and would stay for ever. So a
program of its own reads from a pipe that the coordinator holds: `+NUMBER` for a process group that
has begun, `-NUMBER` for one that has ended. At the pipe's end it kills the groups that are left,
and what has a mark of this run among its variables, where the system shows these in /proc.
"""

import secrets
import subprocess
import sys
from contextlib import suppress
from types import TracebackType

from keras_bench.measure.offspring import VARIABLE

#: Imports nothing of the suite: it starts within some hundredths of a second.
_PROGRAM = """
import glob, os, signal, sys
mark = sys.argv[1].encode()
groups = set()
for line in sys.stdin:
    number = int(line[1:])
    groups.add(number) if line[0] == "+" else groups.discard(number)
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
for name in glob.glob("/proc/[0-9]*/environ"):
    try:
        with open(name, "rb") as file:
            if mark in file.read():
                os.kill(int(name.split("/")[2]), signal.SIGKILL)
    except OSError:
        pass
"""


class Watchdog:
    """Watches the process groups of workers as long as its block lasts."""

    def __init__(self) -> None:
        #: How the marks of all workers of this run begin.
        self.run = secrets.token_hex(8)

    def __enter__(self) -> "Watchdog":
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, f"{VARIABLE}={self.run}."],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Out of reach of what ends the coordinator's group.
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def watch(self, group: int) -> None:
        """Kill this process group if the coordinator ends before it is forgotten."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Leave a process group alone, which has ended."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        # Without it workers still end with their coordinator, unless they are stopped.
        with suppress(OSError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
