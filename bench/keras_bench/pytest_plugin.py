"""Lets pytest-benchmark time workloads: its flags and files, the suite's measurements.

    from keras_bench import benchmark_workloads

    test_training = benchmark_workloads("my_model.py")

is a test of every backend. pytest loads this module at every start, wherever the suite is
installed, so nothing heavy is imported until such a test is collected.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keras_bench.errors import BenchError, Unsupported
from keras_bench.records import BACKENDS, EnvironmentChoice, Parameter, Selection

if TYPE_CHECKING:
    from keras_bench.commands.pytest_rounds import TimedRounds
    from keras_bench.environments.interpreters import Interpreter
    from keras_bench.worker.protocol import Workload

DEFAULT_ROUNDS = 5

#: The attribute by which tests that `benchmark_workloads` has made are known.
_SELECTION = "keras_bench_selection"


def benchmark_workloads(
    *names: str, tags: tuple[str, ...] = (), **parameters: Parameter | list[Parameter]
) -> Callable[..., None]:
    """Return a test that times an epoch of workloads on every backend.

    A round is a fresh process, and its duration the trimmed mean of that process's steady epochs,
    in seconds, as in `keras-bench run`. A backend that isn't installed is skipped.

    Args:
        names: names or files, as on the command line of `keras-bench run`; files and modules are
            looked for beside the test's own file. Without names and tags it is the two networks
            of the notes, or what `--keras-bench-tag` says.
        tags: the suite's workloads that have one of these tags.
        parameters: fit settings, and arguments of `build()` and `data()`; each value of a list
            makes a workload of its own.
    """

    def test_epoch(
        workload: str,
        backend: str,
        keras_bench_rounds: "TimedRounds",
        benchmark: Any,
        pytestconfig: pytest.Config,
    ) -> None:
        rounds = pytestconfig.getoption("keras_bench_rounds")
        failure = None
        try:
            benchmark.pedantic(keras_bench_rounds.measure, rounds=rounds)
        except BenchError as error:
            failure = error
        if failure is not None:
            if isinstance(failure, Unsupported):
                pytest.skip(str(failure))
            # The worker's traceback, which pytest shows as what the test has printed.
            print(*getattr(failure, "__notes__", ()), sep="\n")
            pytest.fail(str(failure), pytrace=False)
        benchmark.extra_info.update(keras_bench_rounds.extra_info())

    values = {
        name: tuple(value) if isinstance(value, list) else (value,)
        for name, value in parameters.items()
    }
    setattr(test_epoch, _SELECTION, Selection(names, tags, tuple(values.items())))
    return test_epoch


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of tests that `benchmark_workloads` makes."""
    group = parser.getgroup("keras-bench")
    group.addoption(
        "--keras-bench-env",
        action="append",
        default=[],
        type=_environment,
        metavar="BACKEND=SPEC",
        help="The environment of a backend: an interpreter's path, or as for `keras-bench run`;"
        " may be repeated. [default: the one that runs pytest if it holds that backend alone, or"
        " one that keras-bench has made]",
    )
    group.addoption(
        "--keras-bench-rounds",
        type=_rounds,
        default=DEFAULT_ROUNDS,
        metavar="N",
        help=f"Time this many processes of every arm. [default: {DEFAULT_ROUNDS}]",
    )
    group.addoption(
        "--keras-bench-tag",
        action="append",
        default=[],
        metavar="NAME",
        help="Take the suite's workloads with this tag, where a test names none; may be repeated."
        " [default: the two networks of the notes]",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every workload and backend."""
    if not hasattr(metafunc.function, _SELECTION):
        return
    try:
        found = _found(metafunc.definition)
    except BenchError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    arms = [
        pytest.param(name, backend, id=f"{name}-{backend}")
        for name in found
        for backend in BACKENDS
    ]
    metafunc.parametrize(("workload", "backend"), arms)


@pytest.fixture
def keras_bench_rounds(
    request: pytest.FixtureRequest,
    workload: str,
    backend: str,
    capsys: pytest.CaptureFixture[str],
) -> Iterator["TimedRounds"]:
    """The rounds of a test's arm. Comes before `benchmark`, which then has their clock."""
    from keras_bench.commands.pytest_rounds import timed_rounds
    from keras_bench.report.terminal import about_to_wait, make_console

    def say_now(holder: str) -> None:
        with capsys.disabled():
            print()  # What pytest has begun is no whole line.
            about_to_wait(make_console())(holder)

    chosen = _found(request.node)[workload]
    named = dict(request.config.getoption("keras_bench_env"))
    interpreter = _interpreter(backend, named, chosen)
    with timed_rounds(chosen, backend, interpreter, say_now) as rounds:
        mark = pytest.mark.benchmark(group=workload, timer=rounds.clock)
        # The first one counts, and another clock would time the start of processes.
        request.node.add_marker(mark, append=False)
        yield rounds


def _interpreter(backend: str, named: Mapping[str, str], workload: "Workload") -> "Interpreter":
    """Return the interpreter of a backend; end the test where the backend isn't there."""
    from keras_bench.environments.finding import environments_of
    from keras_bench.measure.workloads import requirements

    try:
        # A test run makes no environment: that takes minutes, and gigabytes.
        choice = EnvironmentChoice(may_make=False)
        finder = environments_of(choice, print, required=requirements([workload]))
        return finder.interpreters((backend,), named)[backend]
    except BenchError as error:
        reason = str(error)
    if backend in named:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _found(test: Any) -> dict[str, "Workload"]:
    """Return the workloads of a test by name; raise BenchError where one isn't there."""
    from keras_bench.measure.workloads import find

    selection = getattr(test.function, _SELECTION)
    if not (selection.names or selection.tags):
        selection = replace(selection, tags=tuple(test.config.getoption("keras_bench_tag")))
    with chdir(Path(test.path).parent):
        return {workload.name: workload for workload in find(selection)}


def _environment(text: str) -> tuple[str, str]:
    import click

    from keras_bench.options import parse_environments

    context = click.Context(click.Command("pytest"))
    try:
        chosen = parse_environments(context, click.Option(["--keras-bench-env"]), (text,))
    except click.BadParameter as error:
        raise argparse.ArgumentTypeError(error.message) from None
    (environment,) = chosen
    if environment[0] not in BACKENDS:
        raise argparse.ArgumentTypeError(f"{environment[0]} can't train, only predict")
    return environment


def _rounds(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)
