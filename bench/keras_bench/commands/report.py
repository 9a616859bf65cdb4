"""Writes one page of what was measured: `keras-bench report`."""

from collections.abc import Sequence
from pathlib import Path

from keras_bench.analyze.compared import compare, compare_across_machines, differences
from keras_bench.analyze.history import HistoryRow
from keras_bench.analyze.measured import measured_run
from keras_bench.analyze.shifts import find_series
from keras_bench.commands.outputs import check_outputs
from keras_bench.errors import NothingMeasured, ResultsBroken
from keras_bench.records import STANDARD_OUTPUT, Gate, GateSettings, Run
from keras_bench.report.page.change_sections import (
    compared_section,
    gate_sections,
    history_section,
    incomparable_section,
    is_sweep,
)
from keras_bench.report.page.content import Section
from keras_bench.report.page.document import render
from keras_bench.report.page.run_sections import run_sections
from keras_bench.report.terminal import make_console
from keras_bench.report.titles import gate_title, run_title, side_by_side_title, sweep_title
from keras_bench.store import history
from keras_bench.store.files import write_file
from keras_bench.store.runs import newest
from keras_bench.store.stored import load


def report(files: tuple[Path, ...], output: Path | None, results: Path) -> None:
    """Write the page of these runs, gates and sweeps, or of the newest run.

    Each run after the first is compared with the first, and the sections of all follow.

    Raises:
        ResultsBroken: one isn't anything that was stored.
        UsageError: the page is to be written over one of them.
        DiskFull, ResultsUnwritable: the page can't be written.
    """
    console = make_console([output])
    check_outputs([output], files)
    known = [(file, load(file)) for file in files or (newest(results),)]
    file = output or report_file(results)
    write_file(file, page(known, results))
    if file != STANDARD_OUTPUT:
        console.print(f"Written to {file}")


def report_file(results: Path) -> Path:
    """Return where the page of a results directory's last run is."""
    return results / "report.html"


def page(known: Sequence[tuple[Path, Run | Gate]], results: Path) -> str:
    """Return the page of what was read from these files, with what the history says of it."""
    rows, left_out = _history(results)
    measured = [each for _, each in known]
    runs = [(file, each) for file, each in known if isinstance(each, Run)]
    sections = [_compared(runs[0], candidate, rows) for candidate in runs[1:]]
    if len(measured) == 1:
        sections += _sections(measured[0])
    else:
        sections += [Section(_name(each), (), _sections(each)) for each in measured]
    told = history_section(find_series(_of_same_arms(rows, measured)), left_out)
    if told is not None:
        # Where things come from stands last.
        sections.insert(-1 if len(measured) == 1 else len(sections), told)
    return render(_title(measured), _subtitle(measured), sections)


def _sections(measured: Run | Gate) -> tuple[Section, ...]:
    return run_sections(measured) if isinstance(measured, Run) else gate_sections(measured)


def _title(measured: Sequence[Run | Gate]) -> str:
    first, *others = measured
    arms = [result.arm for each in measured for result in each.results]
    if others:
        return side_by_side_title(arms)
    if isinstance(first, Run):
        return run_title(arms)
    return sweep_title(arms) if is_sweep(first) else gate_title(arms)


def _name(measured: Run | Gate) -> str:
    kind = "Run" if isinstance(measured, Run) else "Sweep" if is_sweep(measured) else "Gate"
    return f"{kind} of {measured.started_utc}"


def _subtitle(measured: Sequence[Run | Gate]) -> str:
    machines = dict.fromkeys(each.machine.cpu for each in measured)
    times = ", ".join(each.started_utc for each in measured)
    return f"{times} · {'; '.join(machines)}"


def _compared(
    baseline: tuple[Path, Run], candidate: tuple[Path, Run], rows: Sequence[HistoryRow]
) -> Section:
    threshold = GateSettings().threshold
    before, after = (measured_run(run, str(file)) for file, run in (baseline, candidate))
    try:
        if differences(before, after):
            return compared_section(compare_across_machines(before, after, threshold))
        return compared_section(compare(before, after, rows, threshold))
    except NothingMeasured as reason:
        return incomparable_section(str(reason))


def _history(results: Path) -> tuple[tuple[HistoryRow, ...], tuple[str, ...]]:
    """Return the rows of the history, which there needn't be, and a line about each left out."""
    file = history.history_file(results)
    if not file.exists():
        return (), ()
    try:
        known = history.load(file)
    except ResultsBroken as error:
        return (), (str(error),)
    return known.rows, known.warnings


def _of_same_arms(
    rows: Sequence[HistoryRow], measured: Sequence[Run | Gate]
) -> tuple[HistoryRow, ...]:
    """Return the rows that tell how the arms of what is shown went on, on the same machines."""
    arms = {
        (each.machine.fingerprint, arm.workload, arm.backend, arm.threads, arm.loop, label)
        for each in measured
        for result in each.results
        for arm in [result.arm]
        for label in [arm.environment.label]
    }
    return tuple(
        row
        for row in rows
        if (row.fingerprint, row.workload, row.backend, row.threads, row.loop, row.label) in arms
    )
