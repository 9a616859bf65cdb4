import numpy as np
import pytest

from keras_bench.parity.deviations import SAFETY, deviation_at, deviations
from keras_bench.parity.places import FORWARD, LOSS, Place
from keras_bench.parity.training import Reference

SINGLE = 2.0**-24
HERE, THERE = Place(1, 1, FORWARD, "dense"), Place(1, 1, LOSS)


def compare(truth, spread, value, dtype="float32", tolerance=0.0):
    reference = Reference({HERE: np.array(truth)}, {HERE: np.array(spread)})
    return deviation_at(HERE, np.asarray(value), reference, dtype, tolerance)


def test_a_deviation_and_its_bound_are_relative_to_the_largest_element():
    found = compare([1.0, -4.0], [0.01, 0.01], [1.5, -4.0])
    assert found.place == HERE
    assert found.deviation == pytest.approx(0.5 / 4)
    assert found.bound == pytest.approx(SAFETY * 0.01 / 4)
    assert found.is_off


def test_where_the_reference_is_zero_throughout_a_deviation_stands_bare():
    found = compare([0.0, 0.0], [1e-3, 1e-3], [0.5, 0.0])
    assert found.deviation == 0.5
    assert found.bound == pytest.approx(SAFETY * 1e-3)


def test_what_lies_within_the_spread_passes_and_what_is_just_beyond_it_does_not():
    assert not compare([1.0], [0.01], [1.0 + SAFETY * 0.01 * 0.999]).is_off
    assert compare([1.0], [0.01], [1.0 + SAFETY * 0.01 * 1.001]).is_off


def test_the_worst_element_is_that_furthest_beyond_its_own_bound():
    # The first is further away, but the second has no reason to be.
    found = compare([10.0, 10.0], [1.0, 1e-5], [15.0, 10.01])
    assert found.deviation == pytest.approx(0.01 / 10)
    assert found.bound == pytest.approx(SAFETY * 1e-5 / 10)
    assert found.is_off


def test_without_a_spread_the_rounding_of_the_value_itself_passes():
    assert not compare([3.0], [0.0], [np.float32(3.0) + np.spacing(np.float32(3.0))]).is_off
    assert compare([3.0], [0.0], [3.0 * (1 + 2 * SAFETY * SINGLE)]).is_off
    assert compare([3.0], [0.0], [3.0 * (1 + SINGLE)], dtype="float64").is_off


def test_one_spread_may_hold_for_all_elements():
    assert not compare([1.0, 2.0], 0.1, [1.5, 2.5]).is_off
    assert compare([1.0, 2.0], 0.01, [1.5, 2.5]).is_off


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spread", [0.0, np.nan, np.inf])
def test_what_is_no_number_on_both_sides_alike_agrees(nothing, spread):
    found = compare([1.0, nothing], [0.01, spread], [1.001, nothing])
    assert not found.is_off
    assert found.deviation == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("truth", "value"), [(np.nan, 1.0), (np.inf, 1.0), (np.inf, -np.inf), (np.nan, np.inf)]
)
def test_what_is_no_number_on_both_sides_otherwise_is_off(truth, value):
    found = compare([1.0, truth], [0.01, np.inf], [1.0, value])
    assert found.is_off
    assert found.in_words == "a number on one side only"


@pytest.mark.parametrize("value", [[np.nan, 2.0], [1.0, np.inf], [-np.inf, 2.0]])
def test_what_is_no_number_is_infinitely_off(value):
    found = compare([1.0, 2.0], [1e9, 1e9], value)
    assert found.deviation == np.inf
    assert found.is_off


@pytest.mark.parametrize("value", [[1.0], [[1.0, 2.0]], 1.0, [1.0, 2.0, 3.0]])
def test_another_shape_is_infinitely_off(value):
    found = compare([1.0, 2.0], [1e9, 1e9], value, tolerance=1e9)
    assert found.deviation == np.inf
    assert found.is_off


def test_nothing_at_all_is_not_off():
    found = compare(np.zeros((0, 3)), 0.0, np.zeros((0, 3)))
    assert (found.deviation, found.is_off) == (0.0, False)


def test_a_tolerance_lets_pass_what_is_within_it_of_the_largest_element():
    assert compare([1.0, -4.0], [0.0, 0.0], [1.3, -4.0]).is_off
    assert not compare([1.0, -4.0], [0.0, 0.0], [1.3, -4.0], tolerance=0.1).is_off
    assert compare([1.0, -4.0], [0.0, 0.0], [1.5, -4.0], tolerance=0.1).is_off
    assert compare([1.0, -4.0], [0.0, 0.0], [1.3, -4.0], tolerance=0.1).bound == pytest.approx(0.1)


def test_a_tolerance_narrows_no_bound():
    assert compare([1.0], [0.1], [1.5], tolerance=1e-9).bound == pytest.approx(SAFETY * 0.1)


def test_numbers_too_small_for_the_precision_may_be_flushed_to_zero():
    denormal = 1e-40
    assert not compare([denormal, 1.0], [0.0, 0.0], [0.0, 1.0]).is_off
    assert compare([1e-30, 1.0], [0.0, 0.0], [0.0, 1.0]).is_off
    assert compare([denormal, 1.0], [0.0, 0.0], [0.0, 1.0], dtype="float64").is_off
    assert not compare([1e-310], [0.0], [0.0], dtype="float64").is_off


def test_integers_are_compared_as_numbers():
    assert not compare(3.0, 0.0, np.array(3, "int32")).is_off
    assert compare(3.0, 0.0, np.array(4, "int32")).is_off


def test_only_what_both_have_seen_is_compared():
    reference = Reference(
        {HERE: np.ones(2), THERE: np.ones(()), Place(1, 1, "fed"): np.ones(())},
        {HERE: np.zeros(2), THERE: np.zeros(())},
    )
    seen = {HERE: np.array([1.0, 2.0]), Place(1, 1, "fed"): np.zeros(()), Place(9, 9, LOSS): 0.0}
    (found,) = deviations(seen, reference, "float32")
    assert found == deviation_at(HERE, seen[HERE], reference, "float32")
    assert found.is_off
    (found,) = deviations(seen, reference, "float32", tolerance=1.0)
    assert not found.is_off
