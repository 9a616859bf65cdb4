"""Reads what workers answer: a workload shares their process, and may spoil it.

It may write to descriptors that it hasn't opened, or put something else in the place of a clock.
What can't be what a worker measured is never taken for it.
"""

import json
from typing import Any, TypeVar

import msgspec

from keras_bench.records import Sample
from keras_bench.soundness import fault_of_sample

Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """Why what came is no answer of a worker, and what to do about it."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


#: What is done about one that somebody else has written.
LEAVE_ALONE = "let it write to no descriptor that it hasn't opened itself"


def read_line(line: bytes) -> tuple[str, Any]:
    """Return the name and the content of a message; raise NoAnswer where it is none."""
    try:
        ((name, content),) = json.loads(line).items()
    except (ValueError, AttributeError, RecursionError):
        told = line[:60].decode("utf-8", errors="backslashreplace")
        raise NoAnswer(f"it writes {told!r} where the worker answers", LEAVE_ALONE) from None
    return name, content


def converted(content: Any, kind: type[Answer]) -> Answer:
    """Return the content of a message as a value of this kind; raise NoAnswer where it is none."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        what = f"it spoils the worker's answer ({kind.__name__}: {error})"
        raise NoAnswer(what, LEAVE_ALONE) from None


def check(sample: Sample, epochs: int) -> None:
    """Raise NoAnswer where a sample can't be what a worker measured in so many epochs."""
    fault = fault_of_sample(sample)
    if not fault and len(sample.epoch_seconds) != epochs:
        fault = f"it is of {len(sample.epoch_seconds)} epochs, and {epochs} were trained"
    if fault:
        remedy = "look for NaN in its data and metrics, and let it leave the worker's own alone"
        raise NoAnswer(fault, remedy)
