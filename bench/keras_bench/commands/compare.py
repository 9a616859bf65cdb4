"""Compares two stored runs: `keras-bench compare`."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.compared import compare, compare_across_machines, differences
from keras_bench.analyze.compared_answer import conclusion
from keras_bench.analyze.conclusion import exit_code_of
from keras_bench.analyze.history import HistoryRow
from keras_bench.commands.outputs import Outputs, annotate, check_outputs, write_all, writes_of
from keras_bench.report.compared import TITLE, markdown, print_comparison
from keras_bench.report.junit import suite_of
from keras_bench.report.terminal import make_console
from keras_bench.store import history
from keras_bench.store.comparisons import save
from keras_bench.store.measured import find


def compare_runs(
    baseline: str,
    candidate: str,
    threshold: float,
    across_machines: bool,
    undecided_fails: bool,
    outputs: Outputs,
) -> int:
    """Print and write how a stored run compares with another, and return the exit code.

    Raises:
        ResultsBroken: a side isn't a stored run.
        MachinesDiffer: they are of different machines or thread policies, and may not be.
        NothingMeasured: they are the same run, or have no arm in common.
        ResultsUnwritable: before anything is printed.
    """
    console = make_console(outputs.files)
    check_outputs(outputs.files, [Path(baseline), Path(candidate)])
    before, after = find(baseline, outputs.results), find(candidate, outputs.results)
    if across_machines and differences(before, after):
        found = compare_across_machines(before, after, threshold)
    else:
        found = compare(before, after, _history(console, outputs.results), threshold)
    print_comparison(console, found)
    conclusions = [conclusion(pair, found) for pair in found.pairs]
    annotate(console, TITLE, conclusions)
    suite = suite_of(TITLE, after.started_utc, 0.0, conclusions, undecided_fails)
    files = [file for file in outputs.files if file is not None]
    writes = writes_of(outputs, markdown(found), suite, partial(save, found))
    unwritable = write_all(console, writes, files)
    failures = [side.failure for pair in found.pairs for side in pair.sides if side.failure]
    code = exit_code_of({pair.outcome for pair in found.pairs}, failures, undecided_fails)
    return unwritable.exit_code if code == 0 and unwritable is not None else code


def _history(console: Console, results: Path) -> tuple[HistoryRow, ...]:
    """Read the history, which a results directory needn't have."""
    file = history.history_file(results)
    if not file.exists():
        return ()
    known = history.load(file)
    for warning in known.warnings[:1]:
        others = len(known.warnings) - 1
        more = f" (and {others} more; see `keras-bench history`)" if others else ""
        console.print(Text(f"warning: {warning}{more}", style="yellow"))
    return known.rows
