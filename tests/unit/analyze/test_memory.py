"""Which arms are measured together where memory doesn't hold all."""

from dataclasses import replace

import pytest
from builders import in_slices, result, run

from keras_bench.analyze.answer import ending
from keras_bench.analyze.comparison import tables
from keras_bench.analyze.memory import fit_together, fitting
from keras_bench.analyze.plan import next_round
from keras_bench.records import Surroundings

GIB = 2**30
SEEN = Surroundings(2, None, 1.0, None, None, None, (), (), ())


def using(backend, gib, seconds=0.1, processes=1):
    """Return an arm whose processes have used so much memory."""
    return result(
        backend,
        *(
            in_slices(seconds, peak_rss_bytes=int(gib * GIB), round=number)
            for number in range(1, processes + 1)
        ),
    )


JAX, TORCH, TENSORFLOW = using("jax", 2), using("torch", 3, 0.2), using("tensorflow", 4, 0.3)
ALL = [TENSORFLOW, JAX, TORCH]


def backends(results):
    return [each.arm.backend for each in results]


@pytest.mark.parametrize("available", [None, 9 * GIB])
def test_all_are_measured_together_where_they_fit(available):
    assert fitting(ALL, available) == ALL
    assert fit_together(ALL, available)


def test_the_fastest_is_measured_with_as_many_as_there_is_room_for():
    assert not fit_together(ALL, 9 * GIB - 1)
    assert backends(fitting(ALL, 6 * GIB)) == ["jax", "tensorflow"]
    assert backends(fitting(ALL, 5 * GIB)) == ["jax", "torch"]


def test_those_with_the_fewest_processes_come_first():
    often = using("tensorflow", 4, 0.3, processes=2)
    assert backends(fitting([often, JAX, TORCH], 6 * GIB)) == ["jax", "torch"]


def test_where_not_even_two_fit_each_is_measured_alone_in_turn():
    assert backends(fitting([using("torch", 3, processes=2), JAX], 4 * GIB)) == ["jax"]


def test_one_that_is_not_measured_yet_is_as_large_as_the_largest():
    left_out = [result("tensorflow"), JAX, TORCH]
    assert backends(fitting(left_out, 5 * GIB)) == ["jax", "tensorflow"]
    assert backends(fitting(left_out, 7 * GIB)) == ["jax", "tensorflow"]
    assert fit_together(left_out, 8 * GIB)


def test_before_anything_is_measured_all_are_tried():
    nothing = [result("jax"), result("torch")]
    assert fitting(nothing, 1) == nothing


def test_a_run_plans_so_and_says_so():
    measured = run(*ALL, rounds=1, surroundings=replace(SEEN, available_memory_bytes=6 * GIB))
    (group,) = next_round(measured, 0.0)
    assert {arm.backend for arm in group} == {"jax", "tensorflow"}
    said = "The arms of net don't fit into 6442 MB of memory together; a round measured some"
    assert said in ending(measured, tables(measured))
    roomy = replace(measured, surroundings=replace(SEEN, available_memory_bytes=60 * GIB))
    assert "memory" not in ending(roomy, tables(roomy))
