"""Tells whether a candidate is slower than its baseline: `keras-bench gate`."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench import interrupts
from keras_bench.analyze.conclusion import exit_code_of
from keras_bench.analyze.gate_answer import changes, conclusion, outcome
from keras_bench.analyze.numbers import percent
from keras_bench.analyze.pairs import Pair, pairs
from keras_bench.commands.outputs import Outputs, annotate, check_outputs, write_all, writes_of
from keras_bench.commands.sides import (
    Side,
    measure_sides,
    probe_sides,
    record,
    required_by,
    say_what_revisions_bring,
    workloads_of,
)
from keras_bench.environments.finding import environments_of
from keras_bench.errors import BackendError, Interrupted, NothingMeasured, ResultsUnwritable
from keras_bench.measure.machine import this_machine
from keras_bench.records import EnvironmentChoice, Gate, GateSettings, Selection
from keras_bench.report.gate import TITLE, markdown, print_gate
from keras_bench.report.junit import junit
from keras_bench.report.terminal import busy, make_console, say
from keras_bench.store.calibrations import smallest_slowdown
from keras_bench.store.gates import gate_file, save


def measure(
    selection: Selection,
    baseline: Side,
    candidate: Side,
    environments: EnvironmentChoice,
    settings: GateSettings,
    outputs: Outputs,
    undecided_fails: bool,
    debug: bool,
) -> int:
    """Measure both sides, print and write what was found, and return the exit code.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is measured.
    """
    console = make_console(outputs.files)
    check_outputs([outputs.results / "gates" / "any", *outputs.files])
    required = required_by(selection, [baseline, candidate])
    finder = environments_of(environments, say(console), busy(console), required)
    sides = probe_sides([baseline, candidate], finder)
    compared = []
    for probed in sides:
        if isinstance(probed.interpreter, BackendError):
            raise probed.interpreter
        compared.append(probed.interpreter.environment)
    say_what_revisions_bring(console, selection, sides)
    console.print(Text(f"{baseline.backend}: {changes(*compared)}"))
    names = [workload.name for workload in workloads_of(sides[1], selection)]
    _warn_of_blindness(console, names, baseline.backend, settings, outputs.results)
    gate = measure_sides(
        console, selection, sides, settings, environments.variables, outputs.results, debug
    )
    return _conclude(console, gate, outputs, undecided_fails)


def _warn_of_blindness(
    console: Console,
    names: Sequence[str],
    backend: str,
    settings: GateSettings,
    results: Path,
) -> None:
    """Say where calibration found that this machine can't see a slowdown so small."""
    fingerprint = this_machine().fingerprint
    for name in names:
        smallest = smallest_slowdown(results, fingerprint, name, backend, settings)
        if smallest is not None and settings.threshold < smallest:
            seen = "none for sure" if math.isinf(smallest) else f"{percent(smallest)} at best"
            line = (
                f"warning: {name} on {backend}: of slowdowns this machine sees {seen}, by"
                f" calibration; with --threshold {settings.threshold:g} expect undecided"
            )
            console.print(Text(line, style="yellow"))


def _conclude(console: Console, gate: Gate, outputs: Outputs, undecided_fails: bool) -> int:
    """Print and write what was found; return the exit code of the worst of it."""
    with interrupts.deferred():  # A second Ctrl-C can't cut short what saves the gate.
        found = pairs(gate)
        print_gate(console, gate, found)
        threshold = gate.settings.threshold
        annotate(console, TITLE, [conclusion(pair, threshold) for pair in found])
        unwritable = _write(console, gate, found, outputs, undecided_fails)
    if not gate.complete:
        return Interrupted.exit_code
    code = exit_code(found, undecided_fails)
    return unwritable.exit_code if code == 0 and unwritable is not None else code


def exit_code(found: Sequence[Pair], undecided_fails: bool) -> int:
    """Return what the shell is told: a regression before a failed parity, and so on."""
    failures = [side.fault for pair in found for side in pair.sides if side.fault is not None]
    code = exit_code_of({outcome(pair) for pair in found}, failures, undecided_fails)
    if code == 0 and not any(pair.judgement.rounds for pair in found):
        return NothingMeasured.exit_code
    return code


def _write(
    console: Console, gate: Gate, found: Sequence[Pair], outputs: Outputs, undecided_fails: bool
) -> ResultsUnwritable | None:
    """Write the gate itself, and every output that is wanted."""
    file = gate_file(gate, outputs.results)
    writes: list[Callable[[], None]] = [
        partial(save, gate, found, file),
        partial(record, gate, "gate", outputs.results),
        *writes_of(
            outputs,
            markdown(gate, found),
            junit(gate, found, undecided_fails),
            partial(save, gate, found),
        ),
    ]
    return write_all(console, writes, [file])
