"""How much memory there is, and how much a process has."""

import os
import subprocess
import sys

import psutil
import pytest

from keras_bench.measure import memory


@pytest.fixture
def container(monkeypatch, tmp_path):
    """Let a container have this limit, and use so much of it."""

    def limited(limit: str, use: str) -> None:
        for name, text in (("LIMIT", limit), ("USE", use)):
            file = tmp_path / name
            file.write_text(f"{text}\n")
            monkeypatch.setattr(memory, name, file)

    return limited


def test_the_limit_of_a_container_counts(container):
    container("5000", "3000")
    assert memory.available_memory_bytes() == 2000
    container("5000", "6000")
    assert memory.available_memory_bytes() == 0


def test_without_a_limit_it_is_what_the_system_has(container):
    container("max", "3000")
    assert memory.available_memory_bytes() == pytest.approx(
        psutil.virtual_memory().available, rel=0.5
    )


def test_a_process_that_is_no_more_has_none():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert memory.resident_bytes(process.pid) == 0
    assert memory.resident_bytes(os.getpid()) > 1e6
