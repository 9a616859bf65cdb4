"""Processes that hold a framework, and compare loops there."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from framework_variables import ONE_THREAD
from project import SOURCES

HERE = Path(__file__).parent


QUICKLY = "--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=false"

#: What compiles quickly and not well: in float64 it is of no matter how fast a program is.
QUICKLY_COMPILED = {
    "jax": {"XLA_FLAGS": QUICKLY},
    "tensorflow": {"XLA_FLAGS": QUICKLY},
    # It takes torch ten seconds a training; what Python runs is the same graph.
    "torch": {"TORCH_COMPILE_DISABLE": "1"},
}

#: The cases that JAX trains exactly only where its programs are compiled as usual: they convolve
#: with a gradient.
COMPILED_AS_USUAL = {("jax", "channels_dropped"), ("jax", "a_model_in_a_model")}


@pytest.fixture(scope="session")
def ask(
    pythons: dict[str, str], compiled_by_jax: dict[str, str]
) -> Iterator[Callable[..., dict[str, Any]]]:
    """Ask `answering.py` in a framework's environment, which is started at the first question."""
    processes: dict[tuple[str, str, bool], subprocess.Popen[str]] = {}

    def start(backend: str, floatx: str, quickly: bool) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [pythons[backend], str(HERE / "answering.py"), floatx],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "KERAS_BACKEND": backend,
                "PYTHONPATH": str(SOURCES),
                **ONE_THREAD,
                **compiled_by_jax,
                **(QUICKLY_COMPILED[backend] if quickly else {}),
            },
        )

    def ask(backend: str, floatx: str, *question: str) -> dict[str, Any]:
        quickly = floatx == "float64" and (backend, question[-1]) not in COMPILED_AS_USUAL
        kind = (backend, floatx, quickly)
        process = processes.get(kind)
        if process is None or process.poll() is not None:
            process = processes[kind] = start(*kind)
        process.stdin.write(" ".join(question) + "\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        assert reply, f"the process of {backend} ended with {process.wait()}"
        return json.loads(reply)

    yield ask
    for process in processes.values():
        process.kill()  # A framework takes seconds to end by itself.
        process.communicate()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pytest-xdist keep the questions to a framework on one worker: it starts once."""
    for item in items:
        if item.path.is_relative_to(HERE) and "ask" in item.fixturenames:
            backend = item.callspec.params.get("backend", "jax")
            item.add_marker(pytest.mark.xdist_group(f"loops on {backend}"))
