"""Measures many versions against each other: `keras-bench versions`."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench import interrupts
from bench.analyze.pairs import pairs
from bench.analyze.sweep import sweep
from bench.commands.outputs import check_outputs, write_all
from bench.commands.sides import Side, measure_sides, probe_sides, record
from bench.errors import Interrupted
from bench.records import GateSettings
from bench.report.sweep import markdown, print_sweep
from bench.report.terminal import make_console
from bench.store.files import write_atomically
from bench.store.gates import gate_file, save


def sweep_versions(
    names: tuple[str, ...],
    sides: Sequence[Side],
    settings: GateSettings,
    results: Path,
    page: Path | None,
    debug: bool,
) -> int:
    """Measure all sides, print and write the table; return the exit code.

    A version that doesn't run takes nothing from the others, and its row says why. That one is
    slower is what a sweep is to find, and no failure.

    Raises:
        UsageError, WorkloadError, ResultsUnwritable: before anything is measured.
    """
    console = make_console()
    check_outputs([results / "gates" / "any", page])
    gate = measure_sides(console, names, probe_sides(sides), settings, results, debug)
    with interrupts.deferred():
        rows = sweep(gate)
        print_sweep(console, gate, rows)
        file = gate_file(gate, results)
        writes: list[Callable[[], None]] = [
            partial(save, gate, pairs(gate), file),
            partial(record, gate, "versions", results),
        ]
        if page is not None:
            writes.append(partial(write_atomically, page, markdown(gate, rows)))
        unwritable = write_all(console, writes, [file])
    if not gate.complete:
        return Interrupted.exit_code
    if unwritable is not None:
        return unwritable.exit_code
    failures = [each.failure for each in gate.results if each.failure is not None]
    measured = any(each.samples for each in gate.results)
    return 0 if measured or not failures else failures[0].exit_code
