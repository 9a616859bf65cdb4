"""What can't have been measured: told of what a worker answers, and of what a file holds.

Both are other people's data. Whatever counts, averages or draws what was measured relies on it.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from keras_bench.records import BACKENDS_OF, Arm, Gate, Run, Sample

#: Longer than anything was ever measured, in seconds.
MOST_SECONDS = 1e9

#: Why what was measured ended.
ENDINGS = ("precise", "decided", "budget", "rounds", "failed", "parity", "interrupted")

THREADS = re.compile(r"default|single|[1-9]\d{0,3}", re.ASCII)
LOOP = re.compile(r"[a-z]+(:[1-9]\d{0,8})?( [ -~]*)?", re.ASCII)
TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII
)


def fault_of_sample(sample: Sample) -> str:
    """Say why a sample can't be what a worker measured, or nothing.

    That of a prediction has no losses.
    """
    for name, values in (("loss", sample.losses), *sample.metrics.items()):
        for epoch, value in enumerate(values, start=1):
            if value is not None and not math.isfinite(value):
                return f"its {name} is {value} in epoch {epoch}"
    counts = {len(sample.epoch_seconds), len(sample.epoch_cpu_seconds)}
    counts |= {len(each) for each in (sample.losses, sample.counted) if each}
    counts |= {len(each) for each in sample.metrics.values()}
    if len(counts) > 1:
        return f"it is of {' and '.join(map(str, sorted(counts)))} epochs"
    if counts == {0}:
        return "it is of no epoch"
    for seconds in sample.epoch_seconds:
        if not 0.0 < seconds < MOST_SECONDS:
            return f"an epoch took {seconds:g} s"
    # Some systems don't tell: a gate takes the other clock then.
    for seconds in sample.epoch_cpu_seconds:
        if not 0.0 <= seconds < MOST_SECONDS:
            return f"an epoch took {seconds:g} s of CPU time"
    for seconds in (sample.import_seconds, sample.build_seconds, sample.process_seconds):
        if not 0.0 <= seconds < MOST_SECONDS:
            return f"it was prepared in {seconds:g} s"
    if sample.counted is not None and not all(0.0 <= each <= 1.0 for each in sample.counted):
        return "a share of an epoch that counts is none"
    for name in ("examples", "peak_rss_bytes", "calls_per_block"):
        if not 0 < getattr(sample, name) < 2**63:
            return f"its {name} is {getattr(sample, name)}"
    return ""


def fault_of_measured(measured: Run | Gate) -> str:
    """Say why a run or a gate can't be what was measured, or nothing."""
    if not measured.results:
        return "it measured nothing"
    if not TIME.fullmatch(measured.started_utc):
        return f"it started at {measured.started_utc!r}"
    if measured.stopped not in ENDINGS:
        return f"it ended by {measured.stopped!r}"
    arms = [result.arm for result in measured.results]
    if len(set(arms)) < len(arms) or len({arm.name for arm in arms}) < len(arms):
        return "two of its arms are one"
    for result in measured.results:
        if fault := fault_of_arm(result.arm):
            return fault
        codes = [result.parity.exit_code]
        if result.failure is not None:
            codes.append(result.failure.exit_code)
        if not all(0 <= code < 256 for code in codes):
            return f"{result.arm.name}: an error has the exit code {max(codes, key=abs)}"
        for sample in result.samples:
            if fault := fault_of_sample(sample):
                return f"{result.arm.name}: {fault}"
    # Settings and shares, whatever they are, are numbers.
    odd = next((each for each in _floats(measured) if not math.isfinite(each)), None)
    return "" if odd is None else f"one of its numbers is {odd}"


def fault_of_arm(arm: Arm) -> str:
    """Say why an arm can't be one, or nothing."""
    if arm.backend not in BACKENDS_OF["predict"]:
        return f"no backend is named {arm.backend!r}"
    if not LOOP.fullmatch(arm.loop):
        return f"no loop is named {arm.loop!r}"
    if not THREADS.fullmatch(arm.threads):
        return f"no thread policy is named {arm.threads!r}"
    return "" if arm.workload else "a workload has no name"


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _floats(getattr(value, field.name))
    elif isinstance(value, Sequence | Iterable) and not isinstance(value, str):
        for each in value:
            yield from _floats(each)
