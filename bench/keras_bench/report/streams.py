"""Standard streams that can't be written to, or aren't there: what is measured is kept first."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

#: Why standard output, or standard error, was lost, the first reason first.
_losses: list[OSError] = []


def open_missing() -> None:
    """Open what is closed of the standard descriptors.

    Otherwise the next file or pipe that is opened would get its number, and be taken for it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError as error:
            os.open(os.devnull, os.O_RDWR)
            if descriptor == 1:
                _losses.append(error)
    # Python has no stream for a descriptor that was closed at its start.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # What an odd encoding lacks is shown as an escape.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def loss() -> str:
    """Say why standard output couldn't be written, or nothing; a reader that left is no reason."""
    return (_losses[0].strerror or str(_losses[0])).lower() if _losses else ""


def forget_losses() -> None:
    """Begin anew, as a process does."""
    _losses.clear()


class Enduring:
    """A stream that goes on in silence once it can't be written to, as where `| head` has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or don't; the length of the text is returned either way."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flush, or don't."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            _losses.append(error)
        # What is left in its buffer, and all that follows, goes nowhere.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())
