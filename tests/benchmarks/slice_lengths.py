"""By how much a comparison is off, and an epoch longer, by the length of slices.

    nox -s slices
    nox -s slices -- --backend torch --threads default --disturbed

Measures a backend against itself: two fresh processes of one arm, whose ratio should be 1. A pair
of processes stays alive while it trains in slices of each length, again and again in an order by
lot, so that all lengths meet the same processes and much the same weather. Prints a line for each
length; `--write FILE` adds every ratio to a file, of which `docs/scripts/write_slices.py` makes a
page's tables and plots. It takes some minutes, and nothing else should run meanwhile. With
`--disturbed` another program is busy on the same core, half of the time.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from slice_study import Comparison, LengthFigures, figures_by_length

from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.measure.group import Group, GroupSettings
from keras_bench.measure.machine import quiet_core, this_machine
from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.workloads import shipped
from keras_bench.records import Arm, EnvironmentChoice

WORKLOAD = "dense_1_16_32_2"
LENGTHS_MS = (5.0, 15.0, 40.0, 100.0, None)
TRAINING_SECONDS = 1.5

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


def arms_of(interpreter: Interpreter, backend: str, options: argparse.Namespace) -> list[Arm]:
    """Return an arm twice."""
    return [
        Arm(
            WORKLOAD,
            backend,
            replace(interpreter.environment, label=label),
            options.threads,
            options.loop,
        )
        for label in ("first", "second")
    ]


def comparisons_of_pair(
    pair: int,
    arms: Sequence[Arm],
    python: str,
    repetitions: int,
    workers: Launcher,
    disturbed: bool,
) -> list[Comparison]:
    """Start two processes, and compare them in slices of every length."""
    core = quiet_core() if arms[0].threads == "single" else None
    settings = GroupSettings(UNCOUNTED_EPOCHS, TRAINING_SECONDS, core)
    chance = random.Random(pair)
    group = Group(settings, workers.timeout_seconds, str(pair))
    seen = []
    target = Target(python, shipped()[WORKLOAD])
    with ExitStack() as stack:
        for arm in chance.sample(arms, k=2):
            stack.enter_context(group.started(arm, target, math.inf, 0, workers))
        group.warm_up()
        for repetition in range(repetitions):
            for slice_ms in chance.sample(LENGTHS_MS, k=len(LENGTHS_MS)):
                for member in group.members:
                    member.slice_seconds = math.inf if slice_ms is None else slice_ms / 1e3
                seen.append((repetition, slice_ms, group.measure({})))
        answers = {member.arm: (member, sample) for member, sample in group.ended()}
    for error in group.errors.values():
        raise error
    found = []
    for repetition, slice_ms, shares in seen:
        first, second = (
            member.in_active_time(sample, shares[arm])
            for arm in arms
            for member, sample in [answers[arm]]
        )
        found.append(
            Comparison(
                arms[0].backend,
                arms[0].loop,
                arms[0].threads,
                disturbed,
                this_machine().cpu,
                pair,
                repetition,
                slice_ms,
                process_epoch(second) / process_epoch(first),
                process_epoch(second, "cpu") / process_epoch(first, "cpu"),
                math.sqrt(process_epoch(second) * process_epoch(first)),
            )
        )
    return found


def line(known: LengthFigures) -> str:
    """Return what one length comes to."""
    name = "whole epochs" if known.slice_ms is None else f"{known.slice_ms:g} ms"
    return (
        f"- {name}: a comparison of {TRAINING_SECONDS} s a side is off by"
        f" {100 * known.wall_error:.1f} % by wall time, {100 * known.cpu_error:.1f} % by CPU time;"
        f" mean {known.lean:.3f}; an epoch {known.sliced_to_free:.3f} ±"
        f" {known.sliced_to_free_error:.3f} of a whole one ({known.comparisons} comparisons)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--loop", default="fit")
    parser.add_argument("--threads", default="single")
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--disturbed", action="store_true")
    parser.add_argument("--write", type=Path, help="add every ratio to this file")
    options = parser.parse_args()
    backend = options.backend
    interpreter = environments_of(EnvironmentChoice(), print).interpreters((backend,), {})[backend]
    arms = arms_of(interpreter, backend, options)
    print(
        f"{WORKLOAD} on {backend} by {options.loop}, {options.threads} threads, against itself,",
        "beside a busy program:" if options.disturbed else "beside nothing else:",
        flush=True,
    )
    found: list[Comparison] = []
    busy = disturbance(quiet_core()) if options.disturbed else nullcontext()
    with launcher(timeout_seconds=300.0) as workers, busy:
        for pair in range(options.pairs):
            found += comparisons_of_pair(
                pair, arms, interpreter.python, options.repetitions, workers, options.disturbed
            )
    print(*map(line, figures_by_length(found)), sep="\n", flush=True)
    if options.write is not None:
        file = options.write
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        known += [asdict(each) for each in found]
        file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
