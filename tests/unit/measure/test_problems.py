"""What a worker's problem is to the user."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders import workload_in

from keras_bench.measure.problems import error_of
from keras_bench.worker.protocol import Problem, TimingRequest, Workload

MINE = workload_in(Path("folder/mine.py"))


@pytest.mark.parametrize(
    ("workload", "problem", "text"),
    [
        (MINE, Problem("workload", "is odd", ""), "mine.py: is odd; fix mine.py (--debug"),
        (
            replace(MINE, builder="build_small"),
            Problem("workload", "is odd", ""),
            "mine.py:build_small: is odd; fix mine.py (",
        ),
        (
            Workload("odd", "mine.models", ".", "build"),
            Problem("workload", "is odd", ""),
            "mine.models: is odd; fix mine.models (",
        ),
        # The command line may be at fault.
        (
            replace(MINE, parameters=(("units", -3),)),
            Problem("workload", "is odd", ""),
            "mine.py: is odd; fix mine.py, or what --set says (",
        ),
        # The file isn't at fault.
        (
            MINE,
            Problem("workload", "no module pandas", "", "add `--with pandas`"),
            "mine.py: no module pandas; add `--with pandas`",
        ),
        (
            MINE,
            Problem("framework", "training raises X", "", "torch itself raises it"),
            "mine.py: training raises X; torch itself raises it",
        ),
        (
            MINE,
            Problem("unchecked", "data() returns a source", ""),
            "mine.py: data() returns a source; return arrays to have it checked",
        ),
        (
            MINE,
            Problem("unsupported", "it needs torch", ""),
            "not on jax: it needs torch; measure mine.py on another backend",
        ),
        (
            MINE,
            Problem("unsupported", "Keras has no x", "", "take another release of Keras"),
            "not on jax: Keras has no x; take another release of Keras",
        ),
    ],
)
def test_a_file_is_to_be_fixed_unless_the_worker_has_another_remedy(
    workload: Workload, problem: Problem, text: str
):
    request = TimingRequest(workload=workload, backend="jax", seed=0)
    assert str(error_of(problem, request)).startswith(text)
