"""The zoo: every workload says where it belongs, is described as it is, and learns."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from framework_variables import framework_variables
from project import PROJECT

from keras_bench.measure.workloads import EVERY, shipped, tags

MODELS = PROJECT / "models"

#: By workload: the loss that it must come below, and the accuracy that it must reach, on the fifth
#: of its data that it isn't trained on. Guessing a digit is right once in ten times.
LEARNED: dict[str, tuple[float, float | None]] = {
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
import importlib, json, keras
for name in {names}:
    w = importlib.import_module(name)
    keras.utils.set_random_seed(0)
    x, y = w.data(0)
    count = len(x) * 4 // 5
    model = w.build()
    before = model.evaluate(x[:count], y[:count], verbose=0, return_dict=True)["loss"]
    model.fit(x[:count], y[:count], **{{**w.FIT, **{settings}}}, verbose=0)
    after = model.evaluate(x[:count], y[:count], verbose=0, return_dict=True)["loss"]
    held_out = model.evaluate(x[count:], y[count:], verbose=0, return_dict=True)
    print(json.dumps([before, after, held_out]))
"""


@pytest.fixture(scope="module")
def train(pythons, tmp_path_factory):
    """Train workloads one after another in a process of their own.

    Returns for each the loss before and after, and what comes of the examples that are held out.
    """

    home = tmp_path_factory.mktemp("keras")

    def run(names: list[str], backend: str, **settings: int):
        process = subprocess.run(
            [pythons[backend], "-B", "-c", TRAIN.format(names=names, settings=settings)],
            cwd=MODELS,
            env=framework_variables(backend, home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        # Frameworks write to stdout too.
        lines = [line for line in process.stdout.splitlines() if line.startswith("[")]
        return dict(zip(names, map(json.loads, lines), strict=True))

    return run


@pytest.fixture
def rules_accuracy() -> float:
    command = [sys.executable, "-B", str(MODELS / "sentiment_by_rules.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.findall(r"([\d.]+)%", answer)[0]) / 100


def test_each_workload_has_tags_of_its_own():
    found = {name: set(tags(workload)) for name, workload in shipped().items()}
    assert all(len(each) > 1 for each in found.values())
    assert set.union(*found.values()) == {"notes", "layers", EVERY}


def test_rules_written_by_hand_tell_most_articles_apart_but_not_all(rules_accuracy: float):
    assert 0.75 < rules_accuracy < 0.85


def test_the_table_of_the_workloads_is_made_from_them(pythons, tmp_path: Path):
    process = subprocess.run(
        [pythons["jax"], "-B", str(PROJECT / "docs" / "scripts" / "zoo_table.py")],
        env=framework_variables("jax", tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    table = process.stdout
    assert table.count("\n| `") == len(shipped())
    assert table in (MODELS / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained_on_jax(train):
    return train(list(LEARNED), "jax")


@pytest.mark.xdist_group("the zoo on jax")
@pytest.mark.parametrize("name", LEARNED)
def test_each_learns_what_it_was_not_shown(trained_on_jax, name: str, rules_accuracy: float):
    most_loss, least_accuracy = LEARNED[name]
    _, _, held_out = trained_on_jax[name]
    assert held_out["loss"] < most_loss
    if least_accuracy is not None:
        assert held_out["accuracy"] > least_accuracy
    if name == "sentiment_articles":
        assert held_out["accuracy"] > rules_accuracy + 0.05


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_each_learns_on_the_other_backends_too(train, backend: str):
    # What a negation means takes a recurrent layer many epochs to find out: JAX has shown it.
    names = [name for name in LEARNED if name != "sentiment_articles"]
    for name, (before, after, _) in train(names, backend, epochs=1).items():
        assert after < before, name
