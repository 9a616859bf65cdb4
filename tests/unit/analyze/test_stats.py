import math

import pytest

from keras_bench.analyze.stats import Estimate, centre, ratio


def in_seconds(logs):
    return [math.exp(log) for log in logs]


@pytest.mark.parametrize(
    ("logs", "mean", "margin"),
    [
        # Student's t by hand: mean, t of n - 1 degrees × sqrt(variance ÷ n).
        ((0.00, 0.02), 0.01, 12.706205 * 0.01),
        ((0.00, 0.01, 0.02, 0.03), 0.015, 3.182446 * 0.01 * math.sqrt(5 / 3 / 4)),
        # One cut at each end: 1, 2, 3 are kept, winsorized 1, 1, 2, 3, 3 with sum of squares 4.
        ((0.10, 0.01, 0.02, 0.03, 0.00), 0.02, 4.302653 * 0.01 * math.sqrt(4 / (3 * 2))),
        # Two cut at each end: 2 to 7 are kept, and the winsorized sum of squares is 42.5.
        (
            (0.00, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 3.00),
            0.045,
            2.570582 * 0.01 * math.sqrt(42.5 / (6 * 5)),
        ),
    ],
    ids=["n=2", "n=4", "n=5", "n=10"],
)
def test_centre_is_the_trimmed_mean_with_tukey_and_mclaughlins_interval(logs, mean, margin):
    estimate = centre(in_seconds(logs))
    assert math.log(estimate.value) == pytest.approx(mean, rel=1e-6)
    assert math.log(estimate.low) == pytest.approx(mean - margin, rel=1e-6)
    assert math.log(estimate.high) == pytest.approx(mean + margin, rel=1e-6)


def test_centre_scales_with_the_unit():
    values = [0.9, 1.0, 1.1, 1.3, 1.2]
    seconds, milliseconds = centre(values), centre([1000 * value for value in values])
    assert milliseconds.value == pytest.approx(1000 * seconds.value)
    assert milliseconds.low == pytest.approx(1000 * seconds.low)
    assert milliseconds.half_width == pytest.approx(seconds.half_width)


def test_one_outlier_among_eight_processes_moves_neither_centre_nor_interval_much():
    calm = [0.97, 0.98, 0.99, 1.00, 1.00, 1.01, 1.02, 1.03]
    disturbed = [*calm[:-1], 30.0]
    before, after = centre(calm), centre(disturbed)
    assert after.value == pytest.approx(before.value, rel=0.001)
    assert after.half_width == pytest.approx(before.half_width, rel=0.01)


def test_one_outlier_among_eight_processes_moves_no_ratio_much():
    calm = [0.97, 0.98, 0.99, 1.00, 1.00, 1.01, 1.02, 1.03]
    before, after = ratio(calm, calm), ratio([*calm[:-1], 30.0], calm)
    assert after.value == pytest.approx(before.value, rel=0.001)
    assert after.half_width == pytest.approx(before.half_width, rel=0.01)


def test_one_process_gives_no_interval():
    assert centre([0.25]) == Estimate(0.25, None, None)
    assert centre([0.25]).half_width == math.inf


def test_one_process_has_no_ratio_whichever_side_it_stands_on():
    for candidate, baseline in (([2.0], [1.0]), ([2.0], [1.0] * 3), ([2.0] * 3, [1.0])):
        assert ratio(candidate, baseline) is None


def test_equal_values_give_an_interval_of_no_width():
    estimate = centre([0.2] * 6)
    assert [estimate.value, estimate.low, estimate.high] == pytest.approx([0.2] * 3)
    assert estimate.half_width == pytest.approx(0, abs=1e-12)
    estimate = ratio([0.4] * 6, [0.2] * 6)
    assert [estimate.value, estimate.low, estimate.high] == pytest.approx([2.0] * 3)


def test_equal_values_on_one_side_leave_the_other_sides_interval():
    varying = in_seconds([0.00, 0.01, 0.02, 0.03])
    alone, against_constant = centre(varying), ratio(varying, [1.0] * 4)
    assert against_constant.low == pytest.approx(alone.low)
    assert against_constant.high == pytest.approx(alone.high)


def test_half_width_is_relative_to_the_value():
    assert Estimate(2.0, 1.8, 2.4).half_width == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("logs", "error"),
    [
        # Equal variances and counts give Welch's test 4 degrees of freedom here, both times.
        ((0.0, 0.1, 0.2), math.sqrt(0.01 / 3 + 0.01 / 3)),
        ((0.00, 0.01, 0.02, 0.03, 0.10), 0.01 * math.sqrt(4 / 6 + 4 / 6)),
    ],
    ids=["welch", "yuen"],
)
def test_ratio_is_exact_for_a_hand_worked_example(logs, error):
    estimate = ratio(in_seconds(log + 0.5 for log in logs), in_seconds(logs))
    assert math.log(estimate.value) == pytest.approx(0.5)
    assert math.log(estimate.low) == pytest.approx(0.5 - 2.776445 * error, rel=1e-6)
    assert math.log(estimate.high) == pytest.approx(0.5 + 2.776445 * error, rel=1e-6)


def test_exchanging_candidate_and_baseline_inverts_the_ratio():
    first, second = [0.9, 1.0, 1.1, 1.3, 1.2], [2.0, 2.2, 2.1]
    there, back = ratio(first, second), ratio(second, first)
    assert back.value == pytest.approx(1 / there.value)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))
