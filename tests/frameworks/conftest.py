"""What tests on the real frameworks share."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from project import PROJECT, SOURCES


@pytest.fixture(scope="session")
def train_in_turn(pythons: dict[str, str], tmp_path_factory) -> Callable[..., list[dict[str, Any]]]:
    """Train workloads, each a file and its builder, one after the other in a process of their own.

    Returns for each the fields of its sample, or the kind and the message of a refusal.
    """

    def train(backend: str, workloads: Sequence[tuple[Path, str]]) -> list[dict[str, Any]]:
        process = subprocess.run(
            [pythons[backend], str(PROJECT / "tests" / "support" / "train_in_turn.py"), backend],
            input=json.dumps([(str(file), builder) for file, builder in workloads]),
            env={
                "KERAS_BACKEND": backend,
                "KERAS_HOME": str(tmp_path_factory.mktemp("keras")),
                "PYTHONPATH": str(SOURCES),
                "PATH": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return train
