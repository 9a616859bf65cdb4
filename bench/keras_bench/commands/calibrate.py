"""Finds out what gates can see on this machine: `keras-bench calibrate`."""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench import interrupts
from keras_bench.analyze.calibration import capability
from keras_bench.analyze.clocks import clock_of
from keras_bench.analyze.diagnosis import diagnose
from keras_bench.analyze.numbers import milliseconds, percent
from keras_bench.analyze.pairs import clock_jumped, log_ratio
from keras_bench.analyze.steady import process_epochs_by
from keras_bench.commands.outputs import check_outputs, write_all
from keras_bench.commands.parity_first import check_first
from keras_bench.commands.rounds import group_settings
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.errors import BenchError, Interrupted, Undecided, UsageError
from keras_bench.measure import workloads
from keras_bench.measure.group import measure_groups
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.machine import quiet_core, this_machine
from keras_bench.measure.outcomes import Starting, Target
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.surroundings import examine
from keras_bench.records import (
    Arm,
    ArmResult,
    Calibration,
    CalibrationRound,
    Clock,
    Environment,
    EnvironmentChoice,
    GateSettings,
    Sample,
    Selection,
)
from keras_bench.report.calibration import markdown, print_calibration
from keras_bench.report.terminal import about_to_wait, busy, make_console, print_warnings, say
from keras_bench.store.calibrations import calibration_file, save
from keras_bench.store.files import append_lines
from keras_bench.worker.protocol import Workload

#: The slowdowns that are added; none of them twice as often, since false alarms are rare.
SLOWDOWNS = (0.0, 0.0, 0.025, 0.05, 0.1)

#: With fewer rounds than these there is nothing to say, nor to save over what was said before.
LEAST_ROUNDS = 2 * len(SLOWDOWNS)

#: How often it is tried to find out what an epoch takes.
TRIES = 3

CLOCKS: tuple[Clock, ...] = ("wall", "cpu")

BASELINE, CANDIDATE = "baseline", "candidate"


@dataclass(frozen=True)
class _Pair:
    """Both arms, and where they are found."""

    baseline: Arm
    candidate: Arm
    target: Target


def calibrate(
    name: str,
    backend: str,
    environments: EnvironmentChoice,
    settings: GateSettings,
    passes: int,
    results: Path,
    page: Path | None,
    debug: bool,
) -> int:
    """Measure rounds of known slowdowns, print what gates would have said; return the exit code.

    Raises:
        BenchError: whatever keeps a worker from being measured; what was measured before is saved
            where it is enough to say anything.
    """
    console = make_console([page])
    workload, *others = workloads.find(Selection((name,)))
    if others:
        raise UsageError(name, "holds several workloads", f"name one, {workload.name}")
    check_outputs([results / "calibration" / "any", page])
    finder = environments_of(
        environments, say(console), busy(console), workloads.requirements([workload])
    )
    interpreter = finder.interpreters((backend,), dict(environments.named))[backend]
    settings = replace(settings, cpu=quiet_core() if settings.threads == "single" else None)
    pair = _pair(workload, backend, interpreter, settings.threads)
    calibration = Calibration(
        started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        machine=this_machine(),
        environment=interpreter.environment,
        workload=workload.name,
        backend=backend,
        threads=settings.threads,
        cpu=settings.cpu,
        training_seconds=settings.training_seconds,
        seed=settings.seed,
        parity_seconds=0.0,
        metric=clock_of(settings.metric, backend),
        method="slices",
    )
    failure: BenchError | None = None
    with (
        machine_lock(about_to_wait(console)),
        launcher(settings.timeout_seconds, environments.variables) as workers,
    ):
        print_warnings(console, diagnose(examine({backend: interpreter})))
        calibration = replace(
            calibration,
            parity_seconds=_parity_seconds(console, pair, settings.seed, workers, debug),
        )
        try:
            for each in _rounds(console, pair, settings, passes, workers):
                calibration = replace(calibration, rounds=(*calibration.rounds, each))
        except BenchError as error:
            failure = error
        except KeyboardInterrupt:
            kept = len(calibration.rounds) >= LEAST_ROUNDS
            what = "what was measured is saved" if kept else "too few rounds are measured to save"
            failure = Interrupted("keras-bench calibrate", "interrupted", what)
    if len(calibration.rounds) < LEAST_ROUNDS:
        raise failure or _clock_unfit(pair.baseline)
    with interrupts.deferred():
        found = capability(calibration, settings.threshold)
        print_calibration(console, calibration, found, settings.threshold)
        file = calibration_file(
            results, calibration.machine.fingerprint, calibration.workload, backend
        )
        writes: list[Callable[[], object]] = [
            partial(save, calibration, found, settings.threshold, results)
        ]
        if page is not None:
            text = markdown(calibration, found, settings.threshold)
            writes.append(partial(append_lines, page, f"{text}\n", ""))
        unwritable = write_all(console, writes, [file])
    if failure is not None:
        raise failure
    return 0 if unwritable is None else unwritable.exit_code


def _pair(workload: Workload, backend: str, interpreter: Interpreter, threads: str) -> _Pair:
    def arm(label: str) -> Arm:
        environment: Environment = replace(interpreter.environment, label=label)
        return Arm(workload.name, backend, environment, threads)

    return _Pair(arm(BASELINE), arm(CANDIDATE), Target(interpreter.python, workload))


def _parity_seconds(
    console: Console, pair: _Pair, seed: int, workers: Launcher, debug: bool
) -> float:
    """Return how long a gate of this pair checks parity."""
    start = time.monotonic()
    arms = (pair.baseline, pair.candidate)
    results = tuple(ArmResult(arm) for arm in arms)
    targets = dict.fromkeys(arms, pair.target)
    check_first(
        console, results, [arms], targets, lambda arm: arm.environment.label, seed, workers, debug
    )
    return time.monotonic() - start


def _rounds(
    console: Console, pair: _Pair, settings: GateSettings, passes: int, workers: Launcher
) -> Iterator[CalibrationRound]:
    """Measure every slowdown once in each pass, in an order that chance has."""
    chance = random.Random(settings.seed)
    start = time.monotonic()
    clock = clock_of(settings.metric, pair.baseline.backend)
    slices: dict[Arm, float] = {}
    epoch_seconds = _epoch_seconds(pair, settings, chance, slices, workers)
    for each in range(passes):
        for slowdown in chance.sample(SLOWDOWNS, k=len(SLOWDOWNS)):
            began = time.monotonic()
            before, after = _measure(
                pair, slowdown * epoch_seconds, settings, chance, slices, workers
            )
            if _jumped(before, after):
                continue
            found = CalibrationRound(
                slowdown=slowdown,
                log_ratio=log_ratio(before, after, "wall"),
                cpu_log_ratio=log_ratio(before, after, "cpu"),
                seconds=time.monotonic() - began,
                other_busy_cores=after.other_busy_cores or 0.0,
            )
            line = (
                f"{time.monotonic() - start:5.0f} s  pass {each + 1} of {passes},"
                f" {percent(slowdown) if slowdown else 'none':>5} slower:"
                f" {100 * math.expm1(found.by(clock)):+5.1f}%  of"
                f" {milliseconds(process_epochs_by(clock, [before])[0])} ms"
            )
            console.print(Text(line))
            yield found


def _epoch_seconds(
    pair: _Pair,
    settings: GateSettings,
    chance: random.Random,
    slices: dict[Arm, float],
    workers: Launcher,
) -> float:
    """Return what an epoch takes, which is what slowdowns are shares of."""
    for _ in range(TRIES):
        before, after = _measure(pair, 0.0, settings, chance, slices, workers)
        if not _jumped(before, after):
            clock = clock_of(settings.metric, pair.baseline.backend)
            return process_epochs_by(clock, [before])[0]
    raise _clock_unfit(pair.baseline)


def _jumped(before: Sample, after: Sample) -> bool:
    return any(clock_jumped(side, clock) for side in (before, after) for clock in CLOCKS)


def _clock_unfit(arm: Arm) -> Undecided:
    return Undecided(
        f"{arm.workload} on {arm.backend}",
        "the clock jumped in most rounds",
        "measure while nothing sets the clock",
    )


def _measure(
    pair: _Pair,
    added_cpu_seconds: float,
    settings: GateSettings,
    chance: random.Random,
    slices: dict[Arm, float],
    workers: Launcher,
) -> tuple[Sample, Sample]:
    """Return the samples of one round; raise what keeps a worker from being measured.

    It enters in `slices` how long those of each arm have to be.
    """
    targets = {
        pair.baseline: pair.target,
        pair.candidate: replace(pair.target, added_cpu_seconds=added_cpu_seconds),
    }
    order: Sequence[Arm] = chance.sample((pair.baseline, pair.candidate), k=2)
    samples: dict[Arm, Sample] = {}
    for event in measure_groups(
        1, [order], targets, slices, settings.seed, group_settings(settings), workers
    ):
        if not isinstance(event, Starting):
            if isinstance(event.result, BenchError):
                raise event.result
            samples[event.arm] = event.result
            slices[event.arm] = event.result.slice_seconds or math.inf
    return samples[pair.baseline], samples[pair.candidate]
