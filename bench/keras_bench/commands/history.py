"""Shows the levels of every arm over time, and what shifted: `keras-bench history`."""

from pathlib import Path

from keras_bench.analyze.history import selected
from keras_bench.analyze.shifts import find_series
from keras_bench.errors import UsageError
from keras_bench.report.history import print_history
from keras_bench.report.terminal import make_console
from keras_bench.store.history import history_file, load


def show_history(workloads: tuple[str, ...], backends: tuple[str, ...], results: Path) -> None:
    """Print the series of these workloads and backends, or of all.

    Raises:
        ResultsBroken: there is no history.
        UsageError: it holds nothing of what was asked for.
    """
    history = load(history_file(results))
    rows = selected(history.rows, workloads, backends)
    if history.rows and not rows:
        known = sorted({f"{row.workload} on {row.contender}" for row in history.rows})
        asked = ", ".join([*workloads, *backends])
        raise UsageError(asked, "the history holds no run of it", f"it holds {', '.join(known)}")
    print_history(make_console(), find_series(rows), history.warnings)
