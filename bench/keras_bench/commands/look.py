"""Looks without measuring: `keras-bench list` and `doctor`."""

from keras_bench.analyze.diagnosis import diagnose
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.measure import workloads
from keras_bench.measure.surroundings import examine
from keras_bench.records import BACKENDS, EnvironmentChoice
from keras_bench.report.terminal import busy, make_console, print_findings, print_table, say
from keras_bench.report.text_table import Head, TextTable


def list_all(environments: EnvironmentChoice) -> None:
    """Print the workloads, and the backends with the versions found."""
    console = make_console()
    known = workloads.shipped().values()
    rows = [[workload.name, workloads.summary(workload)] for workload in known]
    print_table(console, TextTable([Head("workload"), Head("what it trains")], rows))
    finder = environments_of(environments, say(console), busy(console))
    backends = finder.known(dict(environments.named)).items()
    heads = [Head(name) for name in ("backend", "framework", "Keras", "NumPy", "Python")]
    print_table(console, TextTable(heads, [_versions(*backend) for backend in backends]))


def _versions(backend: str, interpreter: Interpreter | None) -> list[str]:
    if interpreter is None or not interpreter.environment.holds(backend):
        return [backend, "made on first use" if interpreter is None else "not installed", *[""] * 3]
    environment = interpreter.environment
    framework = environment.version_text(backend) or ""
    if backend not in BACKENDS:
        framework += " (predicts, can't train)"
    keras, numpy = (environment.version_text(name) or "none" for name in ("keras", "numpy"))
    return [backend, framework, keras, numpy, environment.python_version]


def see_doctor(environments: EnvironmentChoice) -> None:
    """Print what on this machine spoils timings."""
    console = make_console()
    finder = environments_of(environments, say(console), busy(console))
    known = finder.known(dict(environments.named))
    made = {backend: interpreter for backend, interpreter in known.items() if interpreter}
    print_findings(console, diagnose(examine(made)))
