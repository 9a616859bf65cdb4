"""Each feature once, on a real worker with JAX: the framework that starts fastest."""

import json
from pathlib import Path

import pandas as pd
import pytest
from builders import SMALL_WORKLOAD
from chromium import ALL_DRAWN

#: A user's own model that needs the modules of folders beside it. The suite's own source has
#: folders of the same names.
NEIGHBOURS = {
    "bench/helper.py": "UNITS = 1",
    "models/__init__.py": "",
    "models/layers.py": """
import keras

def last(units):
    return keras.layers.Dense(units)
""",
    "results/__init__.py": "EPOCHS = 3",
    "tests/examples.py": "COUNT = 20",
}
WORKLOAD = """
import keras, numpy as np
from bench.helper import UNITS
from models.layers import last
from results import EPOCHS
from tests.examples import COUNT

FIT = {"batch_size": 8, "epochs": EPOCHS, "shuffle": True}

def build():
    model = keras.Sequential([keras.Input((2,)), last(UNITS)])
    model.compile("sgd", "mse")
    return model

def data(seed):
    x = np.random.default_rng(seed).normal(size=(COUNT, 2)).astype("float32")
    return x, x[:, :1]
"""
#: The same training, operation by operation.
SLOWER = SMALL_WORKLOAD.replace('"mse")', '"mse", jit_compile=False)')
#: One layer gives a ten thousandth more than it should.
LAYER_OFF = SMALL_WORKLOAD.replace(
    "    return model",
    """
    layer = model.layers[0]
    right = layer.call
    layer.call = lambda x, training=None: right(x) * 1.0001
    return model""",
)


@pytest.fixture
def jax(jax_python: str) -> tuple[str, str]:
    """The options that measure on JAX alone."""
    return "--backend=jax", f"--env=jax={jax_python}"


@pytest.fixture
def results(command_folder: Path) -> Path:
    return command_folder / "results"


def test_a_run_trains_what_lies_among_folders_of_any_name_and_draws_its_page(
    run_cli, jax, command_folder: Path, results: Path, browser
):
    for name, text in {**NEIGHBOURS, "mine.py": WORKLOAD}.items():
        file = command_folder / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    answer = run_cli("run", "project/mine.py", "--quick", "--rounds=1", *jax)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "jax trains an epoch of mine in" in answer.stdout
    (row,) = pd.read_csv(results / "latest.csv").to_dict("records")
    assert (row["parity"], row["loss_epoch"], row["processes"]) == ("agrees", 3, 1)
    assert row["epoch_seconds"] > 0

    page = browser.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((results / "report.html").as_uri())
    page.wait_for_function(ALL_DRAWN)
    assert "jax trains an epoch of mine in" in page.locator("main").inner_text()
    assert complaints == []


def test_a_planted_fault_of_a_layer_is_found_and_named(run_cli, jax, command_folder: Path):
    (command_folder / "off.py").write_text(LAYER_OFF)
    answer = run_cli("parity", "off.py", *jax)
    assert answer.returncode == 11, answer.stdout + answer.stderr
    named = "jax parts from the reference in epoch 1, step 1: the output of layer dense"
    assert named in answer.stdout


def test_a_fused_epoch_agrees_with_fit_and_is_measured(
    run_cli, jax, command_folder: Path, results: Path, no_page
):
    (command_folder / "mine.py").write_text(SMALL_WORKLOAD)
    checked = run_cli("parity", "mine.py", "--loop=fused", *jax)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "- jax fused agrees with fit to rounding" in checked.stdout
    answer = run_cli("run", "mine.py", "--loop=fused", "--quick", "--rounds=1", "--no-parity", *jax)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (row,) = pd.read_csv(results / "latest.csv").to_dict("records")
    assert row["loop"] == "fused"
    assert row["epoch_seconds"] > 0


def test_a_gate_finds_a_slower_training(run_cli, jax_python, command_folder: Path):
    for side, text in (("before", SMALL_WORKLOAD), ("after", SLOWER)):
        (command_folder / side).mkdir()
        (command_folder / side / "mine.py").write_text(text)
    answer = run_cli(
        "gate", "mine.py", "--backend=jax",
        f"--baseline={jax_python}", "--baseline-workloads=before",
        f"--candidate={jax_python}", "--candidate-workloads=after",
        "--no-parity", "--budget=1", "--json=found.json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (pair,) = json.loads((command_folder / "found.json").read_text())["pairs"]
    assert pair["rounds"] == 1
    assert pair["candidate_epoch_seconds"] > 1.5 * pair["baseline_epoch_seconds"]
    assert "undecided: mine on jax has one round that counts" in answer.stdout
