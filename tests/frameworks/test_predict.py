"""Predicting on real backends: those that train, NumPy, and OpenVINO where it is installed."""

from pathlib import Path

import pandas as pd
import pytest
from builders import SMALL_WORKLOAD, workload_in

from keras_bench.errors import WorkloadError
from keras_bench.measure.process import launcher
from keras_bench.records import Sample
from keras_bench.worker.protocol import PredictingRequest


@pytest.fixture
def predicting_pythons(pythons, openvino_python: str | None) -> dict[str, str]:
    """The interpreters of all backends that predict; JAX's holds all that NumPy's needs."""
    found = pythons | {"numpy": pythons["jax"]}
    return found if openvino_python is None else found | {"openvino": openvino_python}


@pytest.fixture
def predict(pythons, tmp_path: Path):
    """Let one worker predict with a workload of this text."""

    def run(text: str, backend="jax", **request) -> Sample:
        file = tmp_path / "mine.py"
        file.write_text(text)
        with launcher(120.0) as workers:
            return workers.run(
                pythons["jax"],
                PredictingRequest(
                    workload=workload_in(file),
                    backend=backend,
                    seed=0,
                    **{"epochs": 5} | request,
                ),
            )

    return run


def test_every_backend_predicts_the_same_and_is_timed(run_cli, predicting_pythons, tmp_path: Path):
    envs = [f"--env={backend}={python}" for backend, python in predicting_pythons.items()]
    answer = run_cli(
        "run", "dense_3_5_2", "--task=predict", "--set=batch_size=7", "--rounds=1", "--quick", *envs
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rows = pd.read_csv(tmp_path / "cwd" / "results" / "latest.csv").set_index("backend")
    assert set(rows.index) == set(predicting_pythons)
    trainers = rows.drop(index="openvino", errors="ignore")
    assert trainers["parity"].eq("agrees").all(), answer.stdout
    # Whether it computes in float32 is up to the processor.
    assert rows["parity"].isin(["agrees", "explained"]).all(), answer.stdout
    assert rows["workload"].eq("dense_3_5_2(batch_size=7)").all()
    assert (rows["examples_per_second"] * rows["epoch_seconds"]).round(6).eq(7).all()
    assert rows["loss"].isna().all()


def test_a_backend_that_predicts_something_else_is_no_answer(run_cli, pythons, tmp_path: Path):
    file = tmp_path / "odd.py"
    odd = "keras.layers.Rescaling(1.01 if keras.backend.backend() == 'torch' else 1.0)"
    file.write_text(
        SMALL_WORKLOAD.replace("keras.layers.Dense(1)", f"keras.layers.Dense(1), {odd}")
    )
    known = {"jax": pythons["jax"], "numpy": pythons["jax"], "torch": pythons["torch"]}
    envs = [f"--env={backend}={python}" for backend, python in known.items()]
    arguments = ("--task=predict", "--set=batch_size=4", "--rounds=1", "--quick")
    answer = run_cli("run", str(file), *arguments, *envs)
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "torch predicts something else: off by" in answer.stdout


def test_calls_are_timed_in_blocks_after_the_first_and_the_warm_up(predict):
    sample = predict(SMALL_WORKLOAD.replace('"batch_size": 8', '"batch_size": 50'))
    assert len(sample.epoch_seconds) == len(sample.epoch_cpu_seconds) == 5
    assert sample.calls_per_block >= 1
    assert sample.losses == ()
    assert sample.metrics == {}
    assert sample.examples == 50  # More than the data hold.
    steady = sample.calls_per_block * sum(sample.epoch_seconds[2:])
    assert sample.import_seconds + sample.epoch_seconds[0] + steady < sample.process_seconds


def test_numpy_does_not_tell_its_threads(predict):
    assert predict(SMALL_WORKLOAD, "numpy", threads=1).intra_op_threads is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"batch_size": 8', '"batch_size": "many"', "FIT has batch_size='many'"),
        ("normal(size=(20, 2))", "normal(size=(20, 3))", "predicting raises"),
    ],
)
def test_what_cant_be_predicted_is_explained(predict, old: str, new: str, reason: str):
    assert old in SMALL_WORKLOAD
    with pytest.raises(WorkloadError, match=reason):
        predict(SMALL_WORKLOAD.replace(old, new))
