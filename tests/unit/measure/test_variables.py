from pathlib import Path

import pytest

from keras_bench.measure.variables import (
    thread_count,
    threads_each,
    why_not_passed,
    without_values,
    worker_variables,
)


def test_a_worker_inherits_nothing_that_changes_an_arm(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    variables = worker_variables("jax", None, tmp_path, {})
    assert variables["KERAS_BACKEND"] == "jax"
    assert variables["KERAS_HOME"] == str(tmp_path)
    assert not {"OMP_NUM_THREADS", "XLA_FLAGS", "PYTHONPATH"} & set(variables)


def test_a_number_of_threads_reaches_every_pool(tmp_path: Path):
    variables = worker_variables("jax", 1, tmp_path, {})
    assert variables["OMP_NUM_THREADS"] == variables["NPROC"] == "1"
    assert "eigen=false" in variables["XLA_FLAGS"]


@pytest.mark.parametrize(("policy", "count"), [("default", None), ("single", 1), ("4", 4)])
def test_a_thread_policy_is_a_number_or_the_frameworks_choice(policy: str, count: int | None):
    assert thread_count(policy) == count


@pytest.mark.parametrize(
    ("policy", "workers", "count"),
    [("default", 3, 5), ("default", 2, 8), ("default", 17, 1), ("single", 3, 1), ("4", 3, 4)],
)
def test_workers_that_train_together_share_the_cores_unless_told_otherwise(
    monkeypatch, policy: str, workers: int, count: int
):
    monkeypatch.setattr("keras_bench.measure.variables.usable_cores", lambda: 16)
    assert threads_each(policy, workers) == count


def test_what_is_passed_on_reaches_a_worker_and_never_replaces_what_is_its_own(tmp_path: Path):
    passed = {"DATA_DIR": "/data", "KERAS_BACKEND": "torch"}
    variables = worker_variables("jax", None, tmp_path, passed)
    assert (variables["DATA_DIR"], variables["KERAS_BACKEND"]) == ("/data", "jax")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DATA_DIR", ""),
        ("UNSET", "UNSET isn't set in your shell"),
        ("OMP_NUM_THREADS", "give --threads"),
        ("KERAS_BACKEND", "give --backend"),
        ("KERAS_HOME", "keras-bench sets KERAS_HOME itself"),
        ("PYTHONPATH", "keras-bench sets PYTHONPATH itself"),
        ("CUDA_VISIBLE_DEVICES", "keras-bench sets CUDA_VISIBLE_DEVICES itself"),
    ],
)
def test_what_the_suite_sets_itself_is_not_passed_on(name: str, reason: str):
    found = why_not_passed(name, {"DATA_DIR": "/data", "OMP_NUM_THREADS": "2", "KERAS_HOME": "/k"})
    assert reason in found
    assert bool(found) == bool(reason)


def test_texts_have_names_in_the_place_of_values():
    passed = {"DATA": "/data", "TOKEN": "/data/secret", "FLAG": "1"}
    assert without_values("1: /data/x, /data/secret", passed) == "1: $DATA/x, $TOKEN"
