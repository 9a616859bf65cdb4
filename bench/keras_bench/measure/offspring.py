"""Ends what a worker has started, wherever that has gone: into a session of its own, or to init.

A process hands its variables down to all that it starts. So each worker has a mark of its own among
them, by which its children, and theirs, are found whoever their parent is by now.
"""

import secrets
from contextlib import suppress

import psutil

#: The variable that holds a worker's mark, as the watchdog knows it too.
VARIABLE = "KERAS_BENCH_WORKER"

#: A process may start another while they are looked for. After so many looks it is let go.
LOOKS = 5


def new_mark(run: str) -> str:
    """Return a mark for a worker of a run; all of a run begin alike."""
    return f"{run}.{secrets.token_hex(8)}"


def end_offspring(mark: str) -> None:
    """Kill every process with this mark."""
    for _ in range(LOOKS):
        marked = [process for process in psutil.process_iter() if _mark_of(process) == mark]
        for process in marked:
            with suppress(psutil.Error):
                process.kill()
        if not marked:
            return
        psutil.wait_procs(marked, timeout=1)


def _mark_of(process: psutil.Process) -> str | None:
    """Return a process's mark, None of another user's, and of one that has ended."""
    try:
        return process.environ().get(VARIABLE)
    except (psutil.Error, OSError):
        return None
