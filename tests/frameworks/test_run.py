"""The main job on real input: all three frameworks, each in its own environment."""

import time
from pathlib import Path

import pandas as pd
import psutil
import pytest


@pytest.fixture
def envs(pythons) -> list[str]:
    return [f"--env={backend}={python}" for backend, python in pythons.items()]


def test_a_network_of_the_notes_is_compared_on_three_backends(run_cli, envs, tmp_path: Path):
    # Several threads of torch hold each other up beside another test. Whether they learn the same
    # is shown by the tests of parity, and said in the row by the smoke test.
    settings = ("--quick", "--rounds=1", "--threads=single", "--no-parity")
    answer = run_cli("run", "dense_3_5_2", *settings, *envs)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    results = tmp_path / "cwd" / "results"
    rows = pd.read_csv(results / "latest.csv")
    assert set(rows["backend"]) == {"tensorflow", "jax", "torch"}
    assert rows["processes"].eq(1).all()
    # One process has no interval.
    assert rows["epoch_seconds_low"].isna().all()
    assert rows["epoch_seconds"].gt(0).all()
    assert rows["accuracy"].gt(0.6).all()
    assert rows["keras_version"].notna().all()
    assert "dense_3_5_2" in (results / "latest.md").read_text()
    # The backends train the same: their losses after as many epochs lie close together.
    assert rows["loss"].max() - rows["loss"].min() < 0.1


def is_worker(process: psutil.Process) -> bool:
    """Tell whether a process is a worker; one that has ended is none."""
    try:
        return "keras_bench.worker" in process.cmdline()
    except psutil.Error:
        return False


def test_a_coordinator_killed_outright_takes_its_worker_with_it(start_cli, envs):
    process = start_cli("run", "dense_1_16_32_2", "--backend=torch", *envs)
    coordinator = psutil.Process(process.pid)
    while not (workers := [each for each in coordinator.children() if is_worker(each)]):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
