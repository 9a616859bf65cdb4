"""On torch a step is traced through Python: what that could get wrong is right, or refused."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from framework_variables import ONE_THREAD
from project import SOURCES

#: What is asked once for all of them is asked in one process.
pytestmark = pytest.mark.xdist_group("traces of torch")

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def answers(pythons: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [pythons["torch"], str(HERE / "on_torch.py")],
        stdout=subprocess.PIPE,
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(SOURCES), **ONE_THREAD},
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "training",
    [
        "draws_without_a_seed",
        "keeps_a_tensor_to_itself",
        "holds_modules_of_torch",
        "goes_back_twice_in_a_step",
    ],
)
def test_what_a_trace_finds_outside_of_the_model_is_trained_on(answers, training: str):
    assert max(answers[training]["deviations"].values()) <= 1e-9


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ("counts_in_python", "Python counts or draws"),
        ("draws_with_numpy", "Python counts or draws"),
        ("looks_at_a_number", "decides in Python by a number"),
        ("takes_arrays_of_numpy", "Python counts or draws"),
        ("works_in_numpy", "takes numbers out of tensors"),
    ],
)
def test_what_a_trace_would_keep_for_ever_is_refused(answers, training: str, words: str):
    assert words in answers[training]["refusal"]
    assert answers[training]["untouched"]


@pytest.mark.parametrize("training", ["few examples", "fewer digits"])
def test_a_chaotic_training_is_taken_though_rounding_takes_steps_apart(answers, training: str):
    assert answers[training] == ""


def test_a_chaotic_training_that_counts_in_python_is_refused(answers):
    assert "Python counts or draws" in answers["few examples, counted"]


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles with g++")
def test_what_torch_compiles_draws_the_same_random_numbers(answers):
    answer = answers["has_a_compiler"]
    assert not any("Python runs" in each for each in answer["warnings"])
    assert max(answer["deviations"].values()) <= 1e-9


def test_a_compiled_loop_trains_on_more_examples_than_at_first(answers):
    assert answers["grows"] <= 1e-9


def test_where_torch_cannot_compile_python_runs_the_traced_step_and_says_so(answers):
    answer = answers["has_no_compiler"]
    assert max(answer["deviations"].values()) <= 1e-9
    assert any("Python runs the traced training step" in each for each in answer["warnings"])
