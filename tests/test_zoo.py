"""The zoo: every workload says where it belongs, is described as it is, and learns."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
MODELS = PROJECT / "models"

#: By workload: the loss that it must come below, and the accuracy that it must reach, on the fifth
#: of its data that it isn't trained on. Guessing a digit is right once in ten times.
LEARNED = {
    # By Haberman's rates alone: the entropy of 81 of 306, and the variance.
    "sigmoid_3_5_2": (0.578, None),
    "squared_error_3_5_1": (0.195, None),
    # The variance of the pixels is the error of one who always draws the mean image.
    "autoencoder_digits": (0.03, None),
    "conv_pool_digits": (0.3, 0.93),
    "batch_norm_digits": (0.3, 0.93),
    "layer_norm_digits": (0.3, 0.93),
    "simple_rnn_digits": (0.5, 0.88),
    "lstm_digits": (0.5, 0.88),
    "gru_digits": (0.5, 0.88),
    "sentiment_articles": (0.35, 0.88),
    "dense_wide_digits": (0.3, 0.93),
}

TRAIN = """
import json, keras, numpy as np
import {name} as w
keras.utils.set_random_seed(0)
x, y = w.data(0)
count = len(x) * 4 // 5
fit = {{**w.FIT, **{settings}}}
model = w.build()
before = model.evaluate(x[:count], y[:count], verbose=0, return_dict=True)["loss"]
model.fit(x[:count], y[:count], **fit, verbose=0)
after = model.evaluate(x[:count], y[:count], verbose=0, return_dict=True)["loss"]
print(json.dumps([before, after, model.evaluate(x[count:], y[count:], verbose=0, return_dict=True)]))
"""


def tags(file: Path) -> tuple[str, ...] | None:
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "TAGS":
            return ast.literal_eval(line.value)
    return None


WORKLOADS = {file.stem: found for file in MODELS.glob("*.py") if (found := tags(file))}


@pytest.fixture
def train(pythons, tmp_path: Path):
    """Train a workload in a process of its own; return losses before and after, and what's held out."""

    def run(name: str, backend: str, **settings: int):
        process = subprocess.run(
            [pythons[backend], "-B", "-c", TRAIN.format(name=name, settings=settings)],
            cwd=MODELS,
            env={"KERAS_BACKEND": backend, "KERAS_HOME": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return run


@pytest.fixture
def rules_accuracy() -> float:
    command = [sys.executable, "-B", str(MODELS / "sentiment_by_rules.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.findall(r"([\d.]+)%", answer)[0]) / 100


def test_each_file_that_builds_a_model_has_tags_and_no_other():
    building = {
        file.stem
        for file in MODELS.glob("*.py")
        if re.search(r"^def build\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(WORKLOADS) == building
    assert {tag for found in WORKLOADS.values() for tag in found} == {"notes", "layers"}


def test_rules_written_by_hand_tell_most_articles_apart_but_not_all(rules_accuracy: float):
    assert 0.75 < rules_accuracy < 0.85


@pytest.mark.frameworks
def test_the_table_of_the_workloads_is_made_from_them(pythons, tmp_path: Path):
    process = subprocess.run(
        [pythons["jax"], "-B", str(PROJECT / "docs" / "zoo_table.py")],
        env={"KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    table = process.stdout
    assert table.count("\n| `") == len(WORKLOADS)
    assert table in (MODELS / "README.md").read_text(encoding="utf-8")


@pytest.mark.frameworks
@pytest.mark.parametrize("name", LEARNED)
def test_each_learns_what_it_was_not_shown(train, name: str):
    most_loss, least_accuracy = LEARNED[name]
    _, _, held_out = train(name, "jax")
    assert held_out["loss"] < most_loss
    if least_accuracy is not None:
        assert held_out["accuracy"] > least_accuracy


@pytest.mark.frameworks
def test_learning_beats_the_rules_written_by_hand(train, rules_accuracy: float):
    _, _, held_out = train("sentiment_articles", "jax")
    assert held_out["accuracy"] > rules_accuracy + 0.05


@pytest.mark.frameworks
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
@pytest.mark.parametrize("name", LEARNED)
def test_each_learns_on_the_other_backends_too(train, name: str, backend: str):
    before, after, _ = train(name, backend, epochs=2)
    assert after < before
