"""Measures many versions against each other: `keras-bench versions`."""

from collections.abc import Callable, Sequence
from functools import partial

from keras_bench import interrupts
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.sweep import sweep
from keras_bench.commands.outputs import Outputs, check_outputs, write_all, writes_of
from keras_bench.commands.sides import (
    Side,
    measure_sides,
    probe_sides,
    record,
    required_by,
    say_what_revisions_bring,
)
from keras_bench.environments.finding import environments_of
from keras_bench.errors import Interrupted, UsageError
from keras_bench.records import EnvironmentChoice, GateSettings, Selection
from keras_bench.report.junit import junit
from keras_bench.report.sweep import markdown, print_sweep
from keras_bench.report.terminal import busy, make_console, say
from keras_bench.store.gates import gate_file, save


def sweep_versions(
    selection: Selection,
    sides: Sequence[Side],
    environments: EnvironmentChoice,
    settings: GateSettings,
    outputs: Outputs,
    debug: bool,
) -> int:
    """Measure all sides, print and write the table; return the exit code.

    A version that doesn't run takes nothing from the others, and its row says why. That one is
    slower is what a sweep is to find, and no failure.

    Raises:
        UsageError, WorkloadError, ResultsUnwritable: before anything is measured.
    """
    _check_labels(sides)
    console = make_console(outputs.files)
    results = outputs.results
    check_outputs([results / "gates" / "any", *outputs.files])
    required = required_by(selection, sides)
    finder = environments_of(environments, say(console), busy(console), required)
    probed = probe_sides(sides, finder)
    say_what_revisions_bring(console, selection, probed)
    gate = measure_sides(
        console, selection, probed, settings, environments.variables, results, debug
    )
    with interrupts.deferred():
        rows = sweep(gate)
        print_sweep(console, gate, rows)
        file = gate_file(gate, results)
        found = pairs(gate)
        writes: list[Callable[[], None]] = [
            partial(save, gate, found, file),
            partial(record, gate, "versions", results),
            *writes_of(
                outputs,
                markdown(gate, rows),
                junit(gate, found, undecided_fails=False),
                partial(save, gate, found),
            ),
        ]
        unwritable = write_all(console, writes, [file])
    if not gate.complete:
        return Interrupted.exit_code
    if unwritable is not None:
        return unwritable.exit_code
    failures = [each.failure for each in gate.results if each.failure is not None]
    measured = any(each.samples for each in gate.results)
    return 0 if measured or not failures else failures[0].exit_code


def _check_labels(sides: Sequence[Side]) -> None:
    """Raise UsageError unless every backend has two environments at least, told apart by label."""
    names = [(side.label, side.backend) for side in sides]
    for label, backend in names:
        if names.count((label, backend)) > 1:
            raise UsageError(
                f"{label} on {backend}", "it is named twice", "name each environment once"
            )
        if sum(other == backend for _, other in names) < 2:
            raise UsageError(
                backend, "one environment has none to be compared with", "name another one"
            )
