"""Writing a file, or further lines of one, whole or not at all, and saying why it can't be done."""

import errno
import fcntl
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import TypeVar

from keras_bench.errors import DiskFull, ResultsUnwritable
from keras_bench.records import STANDARD_OUTPUT, Gate, Run

#: How a time is written in a record.
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Measured = TypeVar("Measured", Run, Gate)


def stored_name(measured: Run | Gate) -> str:
    """Return what the file of something measured is called: `<UTC time>-<fingerprint>.json`."""
    time = re.sub(r"[-:]", "", measured.started_utc)
    return f"{time}-{measured.machine.fingerprint}.json"


@contextmanager
def own_name(measured: Measured, folder: Path) -> Iterator[Measured]:
    """Give what is measured with a time by which nothing else in the folder is called.

    Two that begin in the same second, in two containers say, would write one file. While the block
    lasts, a hidden file keeps the name; where the folder can't be written, that is said later.
    """
    hidden = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while hidden is None:
            name = stored_name(measured)
            wanted = folder / f".{name}.taken"
            try:
                os.close(os.open(wanted, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
                hidden = wanted
            except FileExistsError:
                measured = _a_second_later(measured)
                continue
            if (folder / name).exists():
                hidden.unlink()
                hidden, measured = None, _a_second_later(measured)
    except OSError:
        pass
    try:
        yield measured
    finally:
        if hidden is not None:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)
                # Where nothing was measured, nothing is left: one that isn't empty stays.
                folder.rmdir()


def _a_second_later(measured: Measured) -> Measured:
    later = datetime.strptime(measured.started_utc, TIME_FORMAT) + timedelta(seconds=1)
    return replace(measured, started_utc=later.strftime(TIME_FORMAT))


def is_stream(path: Path) -> bool:
    """Tell whether a path is what is written as it comes: standard output, a device or a pipe."""
    if path == STANDARD_OUTPUT:
        return True
    try:
        mode = path.stat().st_mode
    except OSError as error:
        # What can't be looked at can't be written to either, which is told then.
        if error.errno == errno.ENAMETOOLONG:
            raise
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_file(path: Path, text: str) -> None:
    """Write a text file so that a crash at any moment leaves the old content or the new one.

    Links are followed. Standard output, a device or a pipe stays what it is, and is written to.

    Raises:
        DiskFull: the disk, or the user's share of it, is full.
        ResultsUnwritable: anything else that keeps the file from being written.
    """
    if is_stream(path):
        _write_stream(path, text)
        return
    unfinished = None
    try:
        path = _followed(path)
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


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one writer at a time into a folder, so that files that belong together are of one.

    Where the system has no lock for it, nothing is kept out.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _as_results_error(error, folder) from None
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def append_lines(path: Path, lines: str, heading: str) -> None:
    """Add whole lines to the end of a file, below `heading` where it is new or empty.

    They are one write in append mode, which the system carries out undivided, so that the lines
    of two writers never mix and none waits for a lock. A last line that was cut short is ended
    first. Two writers may both find the file empty, or cut short: a reader must bear a second
    heading and an empty line.

    Raises:
        DiskFull, ResultsUnwritable: as `write_file` does; then nothing is added.
    """
    if is_stream(path):
        _write_stream(path, heading + lines)
        return
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


def read_file(path: Path) -> bytes:
    """Return what a file or a pipe holds.

    Raises:
        OSError: it can't be read, or is a device, which may have no end.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise OSError(errno.EINVAL, "it is a device", str(path))
    return path.read_bytes()


def check_writable(folder: Path) -> None:
    """Try to write into a folder before anything is measured for it.

    Raises:
        DiskFull, ResultsUnwritable: as `write_file` does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".writable.") as probe:
            probe.write("measured results go here\n")
    except OSError as error:
        raise _as_results_error(error, folder) from None


def _followed(path: Path) -> Path:
    """Return where the links of a path lead; raise OSError where they lead nowhere."""
    try:
        return path.resolve()
    except RuntimeError:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _write_stream(path: Path, text: str) -> None:
    try:
        if path == STANDARD_OUTPUT:
            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise _as_results_error(error, path) from None


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
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        reason = "it is no folder, or lies in what is none"
    return ResultsUnwritable(str(path), f"can't be written ({reason})", elsewhere)
