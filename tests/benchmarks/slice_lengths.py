"""By how much a round is off, and an epoch longer, by the length of slices.

Measures a backend against itself, pinned to one core as in a gate, with slices of several lengths:
in each round two fresh processes, of which the ratio should be 1. Prints a line for each length.
Run it with `nox -s slices`; it takes some minutes, and nothing else should run meanwhile. With
`--disturbed` another program is busy on the same core, for random seconds.
"""

import argparse
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.measure.group import GroupSettings, measure_groups
from keras_bench.measure.machine import quiet_core, this_machine
from keras_bench.measure.outcomes import Outcome, Target
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.workloads import shipped
from keras_bench.records import Arm, EnvironmentChoice, Sample

WORKLOAD = "dense_1_16_32_2"
SLICES_MS = (5, 15, 40, 100)
TRAINING_SECONDS, LEAST_EPOCHS = 1.5, 4

#: Keeps its core busy for random seconds, half of the time.
BUSY = """
import random, time
while True:
    end = time.monotonic() + random.expovariate(0.5)
    while time.monotonic() < end:
        pass
    time.sleep(random.expovariate(0.5))
"""


@contextmanager
def disturbance(core: int | None) -> Iterator[None]:
    """Let another program be busy on this core."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        try:
            yield
        finally:
            process.kill()


def rounds(
    interpreter: Interpreter, backend: str, slice_seconds: float, count: int, workers: Launcher
) -> list[Mapping[Arm, Sample]]:
    """Return the samples of rounds of a backend against itself."""
    arms = [
        Arm(WORKLOAD, backend, replace(interpreter.environment, label=label), "single")
        for label in ("baseline", "candidate")
    ]
    targets = dict.fromkeys(arms, Target(interpreter.python, shipped()[WORKLOAD]))
    settings = GroupSettings(UNCOUNTED_EPOCHS, LEAST_EPOCHS, TRAINING_SECONDS, quiet_core())
    known, chance = dict.fromkeys(arms, slice_seconds), random.Random(0)
    found = []
    for number in range(1, count + 1):
        groups = [chance.sample(arms, k=2)]
        events = measure_groups(number, groups, targets, known, 0, settings, workers)
        samples = {each.arm: each.result for each in events if isinstance(each, Outcome)}
        failed = [each for each in samples.values() if not isinstance(each, Sample)]
        if failed:
            raise failed[0]
        found.append({arm: samples[arm] for arm in arms})
    return found


def line(name: str, measured: list[Mapping[Arm, Sample]]) -> str:
    """Return what the rounds of one length come to."""
    pairs = [tuple(samples.values()) for samples in measured]
    logs = {
        clock: [
            math.log(process_epoch(after, clock) / process_epoch(before, clock))
            for before, after in pairs
        ]
        for clock in ("wall", "cpu")
    }
    levels = [math.log(process_epoch(before)) for before, _ in pairs]
    off = ", ".join(f"{100 * stdev(logs[clock]):.1f}% by {clock} time" for clock in logs)
    return (
        f"- {name}: an epoch of {1e3 * math.exp(fmean(levels)):.0f} ms; a round is off by {off};"
        f" the level by {100 * stdev(levels):.0f}%; mean ratio {math.exp(fmean(logs['wall'])):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--disturbed", action="store_true")
    parser.add_argument("--write", type=Path, help="add the figures to this file too")
    options = parser.parse_args()
    backend = options.backend
    interpreter = environments_of(EnvironmentChoice(), print).interpreters((backend,), {})[backend]
    how = "beside a busy program" if options.disturbed else "beside nothing else"
    lines = [
        f"{WORKLOAD} on {backend} against itself, {options.rounds} rounds of {TRAINING_SECONDS} s,"
        f" {how}, on {this_machine().cpu}:",
        "",
    ]
    print(*lines, sep="\n", flush=True)
    with launcher(timeout_seconds=300.0) as workers:
        for milliseconds in (*SLICES_MS, math.inf):
            with disturbance(quiet_core()) if options.disturbed else nullcontext():
                measured = rounds(interpreter, backend, milliseconds / 1e3, options.rounds, workers)
            name = "whole epochs" if math.isinf(milliseconds) else f"{milliseconds} ms"
            lines.append(line(name, measured))
            print(lines[-1], flush=True)
    if options.write is not None:
        with options.write.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    main()
