"""Looks without measuring: `keras-bench list` and `doctor`."""

from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.diagnosis import diagnose
from keras_bench.environments.finding import environments_of
from keras_bench.measure import workloads
from keras_bench.measure.surroundings import examine
from keras_bench.records import BACKENDS, EnvironmentChoice
from keras_bench.report.terminal import busy, make_console, print_findings, say


def list_all(environments: EnvironmentChoice) -> None:
    """Print the workloads, and the backends with the versions found."""
    console = make_console()
    grid = Grid("workload", "what it trains", box=SIMPLE_HEAD)
    for workload in workloads.shipped().values():
        grid.add_row(Text(workload.name), Text(workloads.summary(workload)))
    console.print(grid)
    grid = Grid("backend", "framework", "Keras", "NumPy", "Python", box=SIMPLE_HEAD)
    finder = environments_of(environments, say(console), busy(console))
    for backend, interpreter in finder.known(dict(environments.named)).items():
        if interpreter is None or not interpreter.environment.holds(backend):
            grid.add_row(backend, "made on first use" if interpreter is None else "not installed")
            continue
        environment = interpreter.environment
        framework = environment.version_text(backend) or ""
        if backend not in BACKENDS:
            framework += " (predicts, can't train)"
        keras, numpy = (environment.version_text(name) or "none" for name in ("keras", "numpy"))
        grid.add_row(backend, framework, keras, numpy, environment.python_version)
    console.print(grid)


def see_doctor(environments: EnvironmentChoice) -> None:
    """Print what on this machine spoils timings."""
    console = make_console()
    finder = environments_of(environments, say(console), busy(console))
    known = finder.known(dict(environments.named))
    made = {backend: interpreter for backend, interpreter in known.items() if interpreter}
    print_findings(console, diagnose(examine(made)))
