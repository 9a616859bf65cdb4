"""Shows the levels of every arm over time, and what shifted: `keras-bench history`."""

from pathlib import Path

from keras_bench.analyze.history import selected
from keras_bench.analyze.shifts import find_series
from keras_bench.errors import ResultsBroken, UsageError
from keras_bench.report.history import print_history
from keras_bench.report.terminal import make_console
from keras_bench.store.history import history_file, load


def show_history(workloads: tuple[str, ...], backends: tuple[str, ...], results: Path) -> None:
    """Print the series of these workloads and backends, or of all.

    Raises:
        ResultsBroken: there is no history, or it has no row that can be read.
        UsageError: it holds nothing of what was asked for.
    """
    file = history_file(results)
    history = load(file)
    if not history.rows:
        reason = history.warnings[0] if history.warnings else "holds no row"
        raise ResultsBroken(str(file), reason, "measure with `keras-bench run`")
    rows = selected(history.rows, workloads, backends)
    if history.rows and not rows:
        known = sorted({f"{row.workload} on {row.contender}" for row in history.rows})
        asked = ", ".join([*workloads, *backends])
        raise UsageError(asked, "the history holds no run of it", f"it holds {', '.join(known)}")
    print_history(make_console(), find_series(rows), history.warnings)
