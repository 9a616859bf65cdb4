"""The loops train as `Model.fit` does, on every backend: the same losses, metrics and state."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from trainings import CASES

pytestmark = pytest.mark.frameworks

HERE = Path(__file__).parent

#: How far rounding may take two trainings apart, that do the same in another order.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

#: The cases that are tried as people train, too; the others say more in float64.
IN_FLOAT32 = (
    "adam_with_a_short_last_batch",
    "several_metrics",
    "channels_dropped",
    "embedding_and_gru",
    "inputs_and_outputs_by_name",
)


@pytest.fixture(scope="session")
def ask(pythons: dict[str, str]) -> Iterator[Callable[..., dict[str, Any]]]:
    """Compare in a process that holds the framework; each is started once, at the first case."""
    processes: dict[tuple[str, str], subprocess.Popen[str]] = {}

    def start(backend: str, floatx: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [pythons[backend], str(HERE / "trainings.py"), floatx],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(HERE.parents[1])},
        )

    def ask(backend: str, floatx: str, loop: str, case: str) -> dict[str, Any]:
        process = processes.get((backend, floatx))
        if process is None or process.poll() is not None:
            process = processes[backend, floatx] = start(backend, floatx)
        process.stdin.write(f"{loop} {case}\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        assert reply, f"the process of {backend} ended with {process.wait()}"
        return json.loads(reply)

    yield ask
    for process in processes.values():
        process.communicate()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_fused_trains_as_fit_does(ask, backend: str, case: str):
    check(ask(backend, "float64", "fused", case), CASES[case].refused, TOLERANCES["float64"])


@pytest.mark.parametrize("case", IN_FLOAT32)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_fused_trains_as_fit_does_in_float32(ask, backend: str, case: str):
    check(ask(backend, "float32", "fused", case), CASES[case].refused, TOLERANCES["float32"])


def check(answer: dict[str, Any], refused: str | None, tolerance: float) -> None:
    if refused is not None:
        assert refused in answer["refusal"]
        assert answer["untouched"]
    else:
        assert "deviations" in answer, answer.get("error") or answer
        assert max(answer["deviations"].values()) <= tolerance, answer["deviations"]
