"""Writing a file, or further lines of one, whole or not at all, and saying why it can't be done."""

import errno
import os
import re
import tempfile
from pathlib import Path

from keras_bench.errors import DiskFull, ResultsUnwritable
from keras_bench.records import Gate, Run


def stored_name(measured: Run | Gate) -> str:
    """Return what the file of something measured is called: `<UTC time>-<fingerprint>.json`."""
    time = re.sub(r"[-:]", "", measured.started_utc)
    return f"{time}-{measured.machine.fingerprint}.json"


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a crash at any moment leaves the old content or the new one.

    Raises:
        DiskFull: the disk, or the user's share of it, is full.
        ResultsUnwritable: anything else that keeps the file from being written.
    """
    unfinished = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        unfinished = Path(name)
        with os.fdopen(
            descriptor, "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o644)
        unfinished.replace(path)
        unfinished = None
        _sync_folder(path.parent)
    except OSError as error:
        raise _as_results_error(error, path) from None
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def append_lines(path: Path, lines: str, heading: str) -> None:
    """Add whole lines to the end of a file, below `heading` where it is new or empty.

    They are one write in append mode, which the system carries out undivided, so that the lines
    of two writers never mix and none waits for a lock. A last line that was cut short is ended
    first. Two writers may both find the file empty, or cut short: a reader must bear a second
    heading and an empty line.

    Raises:
        DiskFull, ResultsUnwritable: as `write_atomically` does; then nothing is added.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size == 0:
                lines = heading + lines
            elif os.pread(descriptor, 1, size - 1) != b"\n":
                lines = "\n" + lines
            _write_all(descriptor, lines.encode("utf-8", errors="backslashreplace"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(path.parent)
    except OSError as error:
        raise _as_results_error(error, path) from None


def check_writable(folder: Path) -> None:
    """Try to write into a folder before anything is measured for it.

    Raises:
        DiskFull, ResultsUnwritable: as `write_atomically` does.
    """
    probe = folder / ".writable"
    write_atomically(probe, "measured results go here\n")
    probe.unlink(missing_ok=True)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write in one call; take a part back that was all the disk had room for."""
    written = 0
    while written < len(content):
        try:
            # A second call is made only after a first that was cut short, and tells why it was.
            written += os.write(descriptor, content[written:])
        except OSError:
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
            if written and os.fstat(descriptor).st_size == end:
                os.ftruncate(descriptor, end - written)
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_results_error(error: OSError, path: Path) -> ResultsUnwritable:
    elsewhere = "name another place"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(str(path), "the disk is full", f"free some space, or {elsewhere}")
    reason = (error.strerror or str(error)).lower()
    return ResultsUnwritable(str(path), f"can't be written ({reason})", elsewhere)
