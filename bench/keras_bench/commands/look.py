"""Looks without measuring: `keras-bench list` and `doctor`."""

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.diagnosis import diagnose
from keras_bench.environments.interpreters import probe_backends
from keras_bench.measure import workloads
from keras_bench.measure.surroundings import examine
from keras_bench.records import BACKENDS
from keras_bench.report.terminal import make_console, print_findings


def list_all(pythons: Mapping[str, str]) -> None:
    """Print the workloads, and the backends with the versions found."""
    console = make_console()
    grid = Grid("workload", "what it trains", box=SIMPLE_HEAD)
    for workload in workloads.shipped().values():
        grid.add_row(Text(workload.name), Text(workloads.summary(workload)))
    console.print(grid)
    grid = Grid("backend", "framework", "Keras", "NumPy", "Python", box=SIMPLE_HEAD)
    for backend, interpreter in probe_backends(pythons).items():
        environment = interpreter.environment
        found = environment.framework_version(backend)
        if found is None or not environment.holds(backend):
            found = f"not installed (keras-bench[{backend}])"
        elif backend not in BACKENDS:
            found += " (predicts, can't train)"
        keras, numpy = (environment.version_of(name) or "none" for name in ("keras", "numpy"))
        grid.add_row(backend, found, keras, numpy, environment.python_version)
    console.print(grid)


def see_doctor(pythons: Mapping[str, str]) -> None:
    """Print what on this machine spoils timings."""
    print_findings(make_console(), diagnose(examine(probe_backends(pythons))))
