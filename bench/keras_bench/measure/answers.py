"""Reads what workers answer: a workload shares their process, and may spoil it.

It may write to descriptors that it hasn't opened, or put something else in the place of a clock.
What can't be what a worker measured is never taken for it.
"""

import json
import math
from typing import Any, TypeVar

import msgspec

from keras_bench.records import Sample

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
    """Raise NoAnswer where a sample can't be what a worker measured in so many epochs.

    That of a prediction has no losses.
    """
    for name, values in (("loss", sample.losses), ("accuracy", sample.accuracies)):
        for epoch, value in enumerate(values, start=1):
            if not math.isfinite(value):
                reason = f"its {name} is {value} in epoch {epoch}"
                raise NoAnswer(reason, "look for NaN in the data, or leave the metric out")
    times = [*sample.epoch_seconds, *sample.epoch_cpu_seconds]
    counts = {len(sample.epoch_seconds), len(sample.epoch_cpu_seconds), epochs}
    counts |= {len(each) for each in (sample.losses, sample.accuracies) if each}
    if len(counts) > 1:
        told = " and ".join(str(each) for each in sorted(counts))
        raise NoAnswer(
            f"its answer is of {told} epochs",
            "let it end its training at the end of an epoch, and call no callback of Keras itself",
        )
    if not all(math.isfinite(each) and each > 0.0 for each in times):
        odd = next(each for each in times if not (math.isfinite(each) and each > 0.0))
        raise NoAnswer(f"an epoch took {odd:g} s", "let it leave Python's clocks alone")
    if sample.examples < 1 or sample.peak_rss_bytes < 1:
        reason = f"it tells of {sample.examples} examples in {sample.peak_rss_bytes} bytes"
        raise NoAnswer(reason, "let it leave the worker's functions alone")
