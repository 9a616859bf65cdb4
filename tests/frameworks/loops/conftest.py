"""Processes that hold a framework, and compare loops there."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from project import SOURCES

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def ask(pythons: dict[str, str]) -> Iterator[Callable[..., dict[str, Any]]]:
    """Ask `trainings.py` in a framework's environment, which is started at the first question."""
    processes: dict[tuple[str, str], subprocess.Popen[str]] = {}

    def start(backend: str, floatx: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [pythons[backend], str(HERE / "trainings.py"), floatx],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "KERAS_BACKEND": backend,
                "PYTHONPATH": str(SOURCES),
                # It takes torch ten seconds a training; what Python runs is the same graph.
                "TORCH_COMPILE_DISABLE": "1" if floatx == "float64" else "0",
            },
        )

    def ask(backend: str, floatx: str, *question: str) -> dict[str, Any]:
        process = processes.get((backend, floatx))
        if process is None or process.poll() is not None:
            process = processes[backend, floatx] = start(backend, floatx)
        process.stdin.write(" ".join(question) + "\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        assert reply, f"the process of {backend} ended with {process.wait()}"
        return json.loads(reply)

    yield ask
    for process in processes.values():
        process.communicate()
