"""What other programs used of the machine during the rounds of a gate."""

from collections.abc import Sequence
from dataclasses import replace

from keras_bench.records import ArmResult


def with_load(result: ArmResult, busy_cores: Sequence[float | None]) -> ArmResult:
    """Return a result whose rounds saw other programs use so many cores."""
    samples = [
        replace(each, other_busy_cores=busy)
        for each, busy in zip(result.samples, busy_cores, strict=True)
    ]
    return replace(result, samples=tuple(samples))
