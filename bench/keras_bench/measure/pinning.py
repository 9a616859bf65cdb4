"""Keeps workers on one core."""

import os
from contextlib import suppress
from pathlib import Path


def pin(pid: int, cpu: int) -> None:
    """Keep all threads of a process on one core, those of a framework's pools too."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # A thread may have ended meanwhile.
            os.sched_setaffinity(int(task.name), {cpu})
