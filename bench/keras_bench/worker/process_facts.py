"""What the system tells a worker of its own process."""

import ctypes
import os
import resource
import sys
from pathlib import Path

#: Of <sys/prctl.h>: names who may trace this process beside its ancestors, and says that all may.
PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, ctypes.c_ulong(-1)


def peak_rss_bytes() -> int:
    """Return the largest resident memory that this process ever had."""
    # getrusage starts from the parent's peak on Linux, VmHWM from this program's own.
    status = Path("/proc/self/status")
    if status.exists():
        return int(_status_field(status, "VmHWM")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def os_threads() -> int | None:
    """Return how many threads this process has now, None where the system doesn't tell."""
    status = Path("/proc/self/status")
    return int(_status_field(status, "Threads")) if status.exists() else None


def cpus() -> tuple[int, ...]:
    """Return the cores that this process may run on, none where the system has no affinity."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def allow_watching() -> None:
    """Let a profiler of the same user look into this process.

    Where Yama guards it (kernel.yama.ptrace_scope=1, as on Ubuntu) only ancestors may otherwise,
    and a profiler that is started later is none. Where it doesn't, the call has no effect.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)


def _status_field(status: Path, name: str) -> str:
    for line in status.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.split()[0]
    raise KeyError(name)
