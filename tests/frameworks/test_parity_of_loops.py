"""Loops train what fit does, as the command line says it, on every backend."""

import json
from pathlib import Path

import pytest

from keras_bench.store.runs import load, newest

#: Draws random numbers, keeps moving averages, and has a shorter last batch and weights.
WORKLOAD = """
import keras, numpy as np
from keras import layers

FIT = {"batch_size": 8, "epochs": 3}

def build():
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    both = layers.Dense(8, "relu", kernel_regularizer="l2")(layers.Concatenate()([left, right]))
    both = layers.Dropout(0.3)(layers.BatchNormalization()(both))
    model = keras.Model({"left": left, "right": right}, layers.Dense(2, "softmax")(both))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def data(seed):
    x = np.random.default_rng(seed).normal(size=(101, 5)).astype("float32")
    weight = np.linspace(0, 2, 101, dtype="float32")
    return {"left": x[:, :3], "right": x[:, 3:]}, (x[:, 0] > 0).astype("int32"), weight
"""

#: Trains something else by several steps per execution.
FAULT = """
import keras_bench.loops.named
# This file is read again for each model.
own = keras_bench.loops.named.__dict__.setdefault("own", keras_bench.loops.named.training_by)

def training_by(loop, model):
    train = own(loop, model)
    if loop == "fit:4":
        return lambda x, y, sample_weight, **settings: train(x, y, **settings)
    return train

keras_bench.loops.named.training_by = training_by
"""

REFUSAL = """
import keras_bench.loops.named
from keras_bench import LoopRefusal
own = keras_bench.loops.named.__dict__.setdefault("own", keras_bench.loops.named.training_by)

def training_by(loop, model):
    if loop == "fit:4":
        raise LoopRefusal("nothing is trained on Mondays")
    return own(loop, model)

keras_bench.loops.named.training_by = training_by
"""


@pytest.fixture
def workload(tmp_path: Path):
    def write(text: str) -> str:
        file = tmp_path / "mine.py"
        file.write_text(text)
        return str(file)

    return write


# The smoke test has it on JAX.
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_fused_epoch_agrees_with_fit(
    run_cli, warm_pythons, workload, tmp_path: Path, backend: str
):
    answer = run_cli(
        "parity", workload(WORKLOAD), "--loop=fused", f"--backend={backend}",
        f"--env={backend}={warm_pythons[backend]}", "--json=parity.json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"- {backend} fused agrees with fit to rounding" in answer.stdout
    document = json.loads((tmp_path / "cwd" / "parity.json").read_text())
    assert document["settings"]["epochs"] == 3
    (found,) = document["workloads"]
    (loop,) = found["loops"]
    assert loop["deviations"]
    assert not any(deviation["is_off"] for deviation in loop["deviations"])


def test_a_loop_that_trains_something_else_fails_the_run(
    run_cli, stoppable_pythons, workload, tmp_path: Path
):
    file, env = workload(FAULT + WORKLOAD), f"--env=jax={stoppable_pythons['jax']}"
    answer = run_cli(
        "run", file, "--loop=fit", "--loop=fit:4", "--quick", "--rounds=1", "--backend=jax", env
    )
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "jax fit:4 parts from fit:" in answer.stdout
    measured = load(newest(tmp_path / "cwd" / "results")).results
    found = {each.arm.loop: each.parity.outcome for each in measured}
    assert found["fit:4"] == "differs"
    assert found["fit"] != "differs"


def test_a_loop_that_refuses_is_unsupported(run_cli, stoppable_pythons, workload):
    file, env = workload(REFUSAL + WORKLOAD), f"--env=jax={stoppable_pythons['jax']}"
    answer = run_cli("parity", file, "--loop=fit:4", "--loop=fit:2", "--backend=jax", env)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    said = "not by fit:4 on jax: nothing is trained on Mondays; train it by fit"
    assert said in answer.stdout
    assert "- jax fit:2 agrees with fit to rounding" in answer.stdout
    # Where nothing trains it, that is a fault.
    alone = run_cli("parity", file, "--loop=fit:4", "--backend=jax", env)
    assert alone.returncode == 3
