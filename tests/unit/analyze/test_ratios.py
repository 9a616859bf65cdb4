"""The ratio of two arms: by rounds where they were measured together, and else by all processes."""

import pytest
from builders import in_slices, sample

from keras_bench.analyze.ratios import ProcessTimes, process_times, ratio_of
from keras_bench.analyze.stats import centre, ratio

#: How much slower the machine is in each round.
WEATHER = {1: 1.0, 2: 1.7, 3: 0.8, 4: 1.3}


def in_rounds(steady_seconds, *numbers):
    """Return the samples of an arm in these rounds."""
    return [in_slices(steady_seconds * WEATHER[number], round=number) for number in numbers]


def test_the_weather_that_both_arms_met_is_in_no_ratio():
    slow, fast = in_rounds(0.3, 1, 2, 3, 4), in_rounds(0.1, 1, 2, 3, 4)
    found = ratio_of(process_times(slow), process_times(fast))
    assert (found.low, found.value, found.high) == pytest.approx((3.0, 3.0, 3.0))


def test_rounds_are_matched_by_their_numbers_and_those_of_one_arm_alone_left_out():
    slow, fast = in_rounds(0.3, 1, 2, 4), in_rounds(0.1, 2, 3, 4)
    found = ratio_of(process_times(slow), process_times(fast))
    assert (found.low, found.value, found.high) == pytest.approx((3.0, 3.0, 3.0))


def test_the_interval_is_that_of_the_rounds_ratios():
    slow = ProcessTimes((0.30, 0.63, 0.24), (1, 2, 3))
    fast = ProcessTimes((0.10, 0.20, 0.10), (1, 2, 3))
    expected = centre([3.0, 3.15, 2.4])
    found = ratio_of(slow, fast)
    assert (found.low, found.value, found.high) == pytest.approx(
        (expected.low, expected.value, expected.high)
    )


def test_one_common_round_is_not_enough_to_compare_by_rounds():
    slow, fast = (process_times(in_rounds(*each)) for each in ((0.3, 1, 2), (0.1, 2, 3)))
    assert ratio_of(slow, fast) == ratio(slow.seconds, fast.seconds)


def test_one_process_has_no_ratio():
    slow, fast = (process_times(in_rounds(*each)) for each in ((0.3, 1), (0.1, 1, 2)))
    assert ratio_of(slow, fast) is None


def test_arms_without_a_common_round_are_compared_by_all_their_processes():
    slow, fast = (process_times(in_rounds(*each)) for each in ((0.3, 1, 2), (0.1, 3, 4)))
    assert ratio_of(slow, fast) == ratio(slow.seconds, fast.seconds)


@pytest.mark.parametrize("plain", ["candidate", "baseline"])
def test_processes_that_came_one_after_the_other_share_nothing(plain):
    sliced, after = in_rounds(0.3, 1, 2, 3), [sample(0.1, round=number) for number in (1, 2, 3)]
    sides = (after, sliced) if plain == "candidate" else (sliced, after)
    candidate, baseline = map(process_times, sides)
    assert ratio_of(candidate, baseline) == ratio(candidate.seconds, baseline.seconds)


def test_an_arm_of_which_a_process_was_not_in_slices_has_no_rounds():
    mixed = [*in_rounds(0.3, 1, 2), sample(0.3, round=3)]
    assert process_times(mixed).rounds is None
    assert process_times(mixed[:2]).rounds == (1, 2)
