from pathlib import Path

import pytest

from keras_bench.measure.variables import thread_count, worker_variables


def test_a_worker_inherits_nothing_that_changes_an_arm(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    variables = worker_variables("jax", None, tmp_path)
    assert variables["KERAS_BACKEND"] == "jax"
    assert variables["KERAS_HOME"] == str(tmp_path)
    assert not {"OMP_NUM_THREADS", "XLA_FLAGS", "PYTHONPATH"} & set(variables)


def test_a_number_of_threads_reaches_every_pool(tmp_path: Path):
    variables = worker_variables("jax", 1, tmp_path)
    assert variables["OMP_NUM_THREADS"] == variables["NPROC"] == "1"
    assert "eigen=false" in variables["XLA_FLAGS"]


@pytest.mark.parametrize(("policy", "count"), [("default", None), ("single", 1), ("4", 4)])
def test_a_thread_policy_is_a_number_or_the_frameworks_choice(policy: str, count: int | None):
    assert thread_count(policy) == count
