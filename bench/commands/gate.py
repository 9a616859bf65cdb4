"""Tells whether a candidate is slower than its baseline: `keras-bench gate`."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import interrupts
from bench.analyze.diagnosis import diagnose
from bench.analyze.gate_answer import changes, outcome
from bench.analyze.gate_plan import next_round
from bench.analyze.pairs import Pair, pairs
from bench.analyze.steady import UNCOUNTED_EPOCHS
from bench.commands.parity_first import check_first
from bench.commands.rounds import measure_rounds
from bench.errors import (
    BackendError,
    Interrupted,
    ParityFailed,
    Regressed,
    ResultsUnwritable,
    Undecided,
)
from bench.measure import workloads
from bench.measure.environments import Interpreter, probe
from bench.measure.lock import machine_lock
from bench.measure.machine import this_machine
from bench.measure.process import launcher
from bench.measure.runner import Target
from bench.measure.surroundings import examine
from bench.measure.turns import TurnSettings, carry_out_in_turns
from bench.records import Arm, ArmResult, Gate, GateSettings
from bench.report.gate import annotations, draw_gate, markdown, print_gate
from bench.report.junit import junit
from bench.report.progress import make_progress
from bench.report.terminal import about_to_wait, make_console, print_warnings
from bench.store.files import append_lines, check_writable, write_atomically
from bench.store.gates import gate_file, save

#: How long each side of a pair trains in a round, and at least how many turns it gets.
TRAINING_SECONDS = 1.5
LEAST_TURNS = 4


@dataclass(frozen=True)
class Outputs:
    """Where a gate's findings go, beside the terminal. None means nowhere."""

    results: Path
    markdown: Path | None = None
    json: Path | None = None
    junit: Path | None = None


def measure(
    names: tuple[str, ...],
    backend: str,
    pythons: Mapping[str, str],
    settings: GateSettings,
    outputs: Outputs,
    undecided_fails: bool,
    debug: bool,
) -> int:
    """Measure both sides, print and write what was found, and return the exit code.

    `pythons` holds the interpreters of the "baseline" and the "candidate".

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is measured.
    """
    console = make_console()
    chosen = workloads.find(names)
    sides = _sides(backend, pythons)
    for file in (outputs.results / "gates", outputs.markdown, outputs.json, outputs.junit):
        if file is not None:
            check_writable(file if file.suffix == "" else file.parent)
    targets = {
        Arm(workload.name, backend, side.environment, settings.threads): Target(
            side.python, workload.file
        )
        for workload in chosen
        for side in sides.values()
    }
    turns = TurnSettings(UNCOUNTED_EPOCHS, LEAST_TURNS, TRAINING_SECONDS, settings.cpu)
    baseline, candidate = (side.environment for side in sides.values())
    console.print(Text(f"{backend}: {changes(baseline, candidate)}"), soft_wrap=True)
    with machine_lock(about_to_wait(console)), launcher(settings.timeout_seconds) as workers:
        print_warnings(console, diagnose(examine(sides)))
        measured = Gate(
            started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=this_machine(),
            settings=settings,
            results=tuple(ArmResult(arm) for arm in targets),
        )
        start = time.monotonic()
        if settings.parity:
            parities = check_first(
                console, measured.results, targets, _side, settings.seed, workers, debug
            )
            measured = replace(measured, results=parities)
        with make_progress(console, draw_gate, debug) as progress:
            measured = measure_rounds(
                measured,
                next_round,
                lambda number, plan: carry_out_in_turns(
                    number, plan, targets, settings.seed, turns, workers
                ),
                progress,
                lambda _: None,
                start,
            )
    return _conclude(console, measured, outputs, undecided_fails)


def _side(arm: Arm) -> str:
    return arm.environment.label


def _sides(backend: str, pythons: Mapping[str, str]) -> dict[str, Interpreter]:
    """Probe the two interpreters; raise BackendError where one lacks the backend."""
    sides = {}
    for name, interpreter in probe(pythons).items():
        if backend not in interpreter.backends:
            raise BackendError(
                f"{backend} of the {name}",
                f"isn't installed beside Keras in {interpreter.python}",
                f"install keras-bench[{backend}] there, or name another interpreter",
            )
        environment = replace(interpreter.environment, label=name)
        sides[name] = replace(interpreter, environment=environment)
    return sides


def _conclude(console: Console, gate: Gate, outputs: Outputs, undecided_fails: bool) -> int:
    """Print and write what was found; return the exit code of the worst of it."""
    with interrupts.deferred():  # A second Ctrl-C can't cut short what saves the gate.
        found = pairs(gate)
        print_gate(console, gate, found)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for annotation in annotations(gate, found):
                console.print(annotation, soft_wrap=True)
        unwritable = _write(console, gate, found, outputs, undecided_fails)
    if not gate.complete:
        return Interrupted.exit_code
    if unwritable is not None:
        return unwritable.exit_code
    return exit_code(found, undecided_fails)


def exit_code(found: Sequence[Pair], undecided_fails: bool) -> int:
    """Return what the shell is told: a regression before a failed parity, and so on."""
    outcomes = {outcome(pair) for pair in found}
    if "regressed" in outcomes:
        return Regressed.exit_code
    if "parity failed" in outcomes:
        return ParityFailed.exit_code
    for pair in found:
        for side in pair.sides:
            if side.failure is not None:
                return side.failure.exit_code
    return Undecided.exit_code if undecided_fails and "undecided" in outcomes else 0


def _write(
    console: Console, gate: Gate, found: Sequence[Pair], outputs: Outputs, undecided_fails: bool
) -> ResultsUnwritable | None:
    """Write every output that is wanted; one that fails is said and keeps none of the others."""
    file = gate_file(gate, outputs.results)
    page = markdown(gate, found)
    writes: list[Callable[[], None]] = [lambda: save(gate, found, file)]
    if (target := outputs.json) is not None:
        writes.append(lambda: save(gate, found, target))
    if outputs.markdown is not None:
        writes.append(partial(write_atomically, outputs.markdown, page))
    if outputs.junit is not None:
        suite = junit(gate, found, undecided_fails)
        writes.append(partial(write_atomically, outputs.junit, suite))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        writes.append(partial(append_lines, Path(summary), page, ""))
    first = None
    for write in writes:
        try:
            write()
        except ResultsUnwritable as error:
            console.print(Text(f"error: {error}", style="red"), soft_wrap=True)
            first = first or error
    if first is None:
        console.print(f"Written to {file}", soft_wrap=True)
    return first
