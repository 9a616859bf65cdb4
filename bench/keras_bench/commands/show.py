"""Prints a stored run again: `keras-bench show`."""

from pathlib import Path

from keras_bench.analyze.comparison import tables
from keras_bench.report.run import print_tables
from keras_bench.report.terminal import make_console
from keras_bench.store import runs


def show_run(file: Path | None, results: Path) -> None:
    """Print the tables of a stored run; raise ResultsBroken where there is none."""
    run = runs.load(file or runs.newest(results))
    print_tables(make_console(), run, tables(run))
