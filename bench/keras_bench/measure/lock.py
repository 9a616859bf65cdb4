"""One run at a time on a machine: two at once would measure each other."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

#: How often a waiting run looks whether the other has ended. Seldom, because looking costs.
POLL_SECONDS = 1.0


def lock_file() -> Path:
    """Return the file that is locked; the system lets go of it when its holder dies."""
    return Path(tempfile.gettempdir()) / f"keras-bench-{os.getuid()}.lock"


@contextmanager
def machine_lock(about_to_wait: Callable[[Path], None]) -> Iterator[None]:
    """Hold the machine for one run; call `about_to_wait` once if another run holds it."""
    lock = FileLock(lock_file())
    try:
        lock.acquire(blocking=False)
    except Timeout:
        about_to_wait(lock_file())
        lock.acquire(poll_interval=POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
