"""What tests on the real frameworks share."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from builders import workload_in
from framework_variables import framework_variables
from project import PROJECT, SOURCES
from warm_interpreter import warm_interpreter

from keras_bench.measure import workloads
from keras_bench.measure.parity import check_parity
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.process import launcher
from keras_bench.parity.verdict import Verdict, describe
from keras_bench.records import Selection
from keras_bench.worker.protocol import TimingRequest


@pytest.fixture(scope="session")
def compiled_by_jax(tmp_path_factory, worker_id: str) -> dict[str, str]:
    """Variables that let JAX compile a program once for all processes of this run of the tests."""
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled-by-jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture(scope="session")
def warm_pythons(
    pythons: dict[str, str], compiled_by_jax: dict[str, str]
) -> Iterator[dict[str, str]]:
    """The interpreters of the three backends, with Keras imported once for all of their workers.

    For tests of what a worker finds, not of how it starts.
    """
    with ExitStack() as servers:
        yield {
            backend: servers.enter_context(warm_interpreter(python, backend, compiled_by_jax))
            for backend, python in pythons.items()
        }


@pytest.fixture(scope="session")
def stoppable_pythons(
    pythons: dict[str, str], compiled_by_jax: dict[str, str], tmp_path_factory
) -> dict[str, str]:
    """The interpreters of the three backends, whose workers can be stopped, as slices ask for."""
    file = tmp_path_factory.mktemp("stoppable") / "jax"
    variables = " ".join(f"{name}={value}" for name, value in compiled_by_jax.items())
    file.write_text(f'#!/bin/sh\nexec env {variables} {pythons["jax"]} "$@"\n')
    file.chmod(0o755)
    return pythons | {"jax": str(file)}


@pytest.fixture
def measure(warm_pythons, tmp_path: Path):
    """Write a workload file and run one worker on it, for three epochs if no more are asked."""

    def run(text: str, backend="jax", python=None, timeout_seconds=120.0, **request):
        file = tmp_path / "mine.py"
        file.write_text(text)
        with launcher(timeout_seconds) as workers:
            return workers.run(
                python or warm_pythons[backend],
                TimingRequest(
                    workload=workload_in(file),
                    backend=backend,
                    seed=0,
                    **{"epochs": 3} | request,
                ),
            )

    return run


@pytest.fixture(scope="session")
def train_in_turn(pythons: dict[str, str], tmp_path_factory) -> Callable[..., list[dict[str, Any]]]:
    """Train workloads, each a file and its builder, one after the other in a process of their own.

    Returns for each the fields of its sample, or the kind and the message of a refusal.
    """

    def train(backend: str, workloads: Sequence[tuple[Path, str]]) -> list[dict[str, Any]]:
        process = subprocess.run(
            [pythons[backend], str(PROJECT / "tests" / "support" / "train_in_turn.py"), backend],
            input=json.dumps([(str(file), builder) for file, builder in workloads]),
            env=framework_variables(
                backend, tmp_path_factory.mktemp("keras"), PYTHONPATH=str(SOURCES)
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return train


@pytest.fixture
def check(warm_pythons, tmp_path: Path):
    """Check a workload, given as its text or by its name, on some backends."""

    def run(text: str, backends=("tensorflow", "jax", "torch"), **options) -> Verdict:
        if "\n" in text:
            file = tmp_path / "mine.py"
            file.write_text(text)
            text = str(file)
        (workload,) = workloads.find(Selection((text,)))
        learners = {
            backend: Learner(backend, warm_pythons[backend], workload) for backend in backends
        }
        with launcher(timeout_seconds=120.0) as workers:
            return check_parity(workload.name, learners, ParitySettings(**options), workers)

    return run


@pytest.fixture
def told() -> Callable[[Verdict], dict[str, list[str]]]:
    """Return what a verdict says of the causes on each backend."""
    return lambda verdict: {
        each.backend: [describe(cause) for cause in each.causes] for each in verdict.backends
    }
