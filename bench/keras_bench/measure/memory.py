"""How much memory workers can have, and how much they have."""

from contextlib import suppress
from pathlib import Path

import psutil

#: The limit and the use of this control group (version 2).
LIMIT, USE = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def available_memory_bytes() -> int:
    """Return what the system, and a container's limit, leave to further processes."""
    available = int(psutil.virtual_memory().available)
    # No file, or "max" for no limit.
    with suppress(OSError, ValueError):
        available = min(available, int(LIMIT.read_text()) - int(USE.read_text()))
    return max(0, available)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 where it has ended."""
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
