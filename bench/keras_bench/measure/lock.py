"""One run at a time on a machine: two at once would measure each other."""

import json
import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from keras_bench.errors import ResultsUnwritable

#: The variable that names another file.
FILE_VARIABLE = "KERAS_BENCH_LOCK"

#: How often a waiting run looks whether the other has ended. Seldom, because looking costs.
POLL_SECONDS = 1.0

#: How much of a command is told of.
SHOWN_CHARACTERS = 100


def lock_file() -> Path:
    """Return the file that is locked; the system lets go of it when its holder dies.

    It lies where no other user can put anything in its place.
    """
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named).expanduser().absolute()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime) / "keras-bench.lock"
    # Several machines may share a home.
    return user_cache_path("keras-bench") / f"{socket.gethostname()}.lock"


@contextmanager
def machine_lock(about_to_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the machine for one run; if another run holds it, say once by which words, and wait.

    Raises:
        ResultsUnwritable: the file can't be locked.
    """
    file = lock_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            about_to_wait(_told_of(file))
            lock.acquire(poll_interval=POLL_SECONDS)
    except (OSError, NotImplementedError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        remedy = f"remove what is there, or name another file by {FILE_VARIABLE}"
        raise ResultsUnwritable(str(file), f"can't be locked ({reason})", remedy) from None
    try:
        with suppress(OSError):
            _holder_file(file).write_text(json.dumps(_this_run()), encoding="utf-8")
        yield
    finally:
        lock.release()


def _this_run() -> dict[str, str | int]:
    command = shlex.join(["keras-bench", *sys.argv[1:]])
    shown = command if len(command) <= SHOWN_CHARACTERS else f"{command[:SHOWN_CHARACTERS]}..."
    started = datetime.now(UTC).strftime("%H:%M:%S UTC")
    return {"pid": os.getpid(), "command": shown, "started": started}


def _told_of(file: Path) -> str:
    """Return which run holds a lock, as far as it has told."""
    try:
        holder = json.loads(_holder_file(file).read_bytes())
        return f"process {holder['pid']}, `{holder['command']}` since {holder['started']}, {file}"
    except (OSError, ValueError, TypeError, KeyError):
        return str(file)


def _holder_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.holder")
