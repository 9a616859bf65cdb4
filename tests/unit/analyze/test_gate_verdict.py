import math
from statistics import fmean

import numpy as np
import pytest
from builders import FIRST_LOOK, LAST_LOOK, around
from hypothesis import given
from hypothesis import strategies as st
from simulated_gates import MOST_ROUNDS, NOISES, final_judgement

from keras_bench.analyze.sequential import LOOKS, repeated_interval
from keras_bench.analyze.stats import Estimate
from keras_bench.analyze.verdict import Judgement, judge, read_off

every_noise = pytest.mark.parametrize("noise", NOISES)

# The states, one by one.

SLOWER, SAME, FASTER = 0.10, 0.0, -0.10


def test_without_a_round_nothing_is_known():
    assert judge([], 0.05) == Judgement("undecided", False, None, 0)


def test_one_round_is_no_ratio():
    assert judge([SLOWER], 0.05) == Judgement("undecided", False, None, 1)


@pytest.mark.parametrize("rounds", range(2, FIRST_LOOK))
def test_before_the_first_look_there_is_a_ratio_without_an_interval(rounds):
    values = around(SLOWER, rounds)
    judgement = judge(values, 0.05)
    assert judgement == Judgement("undecided", False, Estimate(math.exp(fmean(values))), rounds)
    assert judgement.visible_change == math.inf


def test_the_first_look_can_say_that_nothing_changed():
    values = around(SAME, FIRST_LOOK)
    judgement = judge(values, 0.05)
    assert judgement == Judgement("unchanged", True, repeated_interval(values), FIRST_LOOK)


@pytest.mark.parametrize(("centre", "change"), [(SLOWER, "regressed"), (FASTER, "improved")])
def test_a_change_is_undecided_until_fresh_rounds_confirm_it(centre, change):
    first, fresh = around(centre, FIRST_LOOK), around(centre / 2, FIRST_LOOK)
    for more in range(FIRST_LOOK):
        judgement = judge([*first, *fresh[:more]], 0.05)
        shown, rounds = repeated_interval(first), FIRST_LOOK + more
        assert judgement == Judgement("undecided", False, shown, rounds, change, more)
    confirmed = judge([*first, *fresh], 0.05)
    # The rounds in which it showed first are no part of the ratio that is reported.
    rounds, shown = 2 * FIRST_LOOK, repeated_interval(fresh)
    assert confirmed == Judgement(change, True, shown, rounds, change, FIRST_LOOK)


@pytest.mark.parametrize("centre", [SLOWER, FASTER])
def test_what_fresh_rounds_do_not_confirm_is_unchanged(centre):
    fresh = around(SAME, FIRST_LOOK)
    judgement = judge([*around(centre, FIRST_LOOK), *fresh], 0.05)
    assert (judgement.verdict, judgement.final) == ("unchanged", True)
    assert judgement.ratio == repeated_interval(fresh)
    assert judgement.confirming_rounds == FIRST_LOOK


@pytest.mark.parametrize("centre", [SLOWER, FASTER])
def test_a_change_that_turns_into_its_contrary_is_undecided_for_good(centre):
    fresh = around(-centre, FIRST_LOOK)
    judgement = judge([*around(centre, FIRST_LOOK), *fresh], 0.05)
    assert (judgement.verdict, judgement.final) == ("undecided", True)
    assert judgement.contrary
    assert judgement.ratio == repeated_interval(fresh)


def test_looks_that_run_out_leave_it_undecided_for_good():
    wild = around(SAME, LAST_LOOK, spread=0.5)
    for rounds in range(1, LAST_LOOK):
        assert not judge(wild[:rounds], 0.05).final
    last = judge(wild, 0.05)
    assert last == Judgement("undecided", True, repeated_interval(wild), LAST_LOOK)
    assert not last.contrary


def test_looks_that_run_out_while_confirming_leave_it_undecided_for_good():
    values = [*around(SLOWER, FIRST_LOOK), *around(SLOWER, LAST_LOOK, spread=0.9)]
    assert not judge(values[:-1], 0.05).final
    last = judge(values, 0.05)
    fresh, rounds = repeated_interval(values[FIRST_LOOK:]), FIRST_LOOK + LAST_LOOK
    assert last == Judgement("undecided", True, fresh, rounds, "regressed", LAST_LOOK)
    assert not last.contrary


def test_a_change_may_show_at_a_later_look_and_only_later_rounds_confirm_it():
    # At the first two looks the interval holds 1; at the third it doesn't.
    second, third = LOOKS[1:3]
    values = [*around(SLOWER, second, spread=0.12), *around(SLOWER, third)]
    judgement = judge(values, 0.05)
    assert (judgement.verdict, judgement.confirming) == ("regressed", "regressed")
    end = third + FIRST_LOOK
    assert (judgement.rounds, judgement.confirming_rounds) == (end, FIRST_LOOK)
    assert judgement.ratio == repeated_interval(values[third:end])


def test_between_looks_nothing_is_judged_anew():
    wild = around(SAME, FIRST_LOOK, spread=0.5)
    for rounds in range(FIRST_LOOK, LOOKS[1]):
        judgement = judge([*wild, *around(SLOWER, rounds - FIRST_LOOK)], 0.05)
        assert judgement == Judgement("undecided", False, repeated_interval(wild), rounds)
        assert judgement.rounds_to_next_look == LOOKS[1] - rounds


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.0] * FIRST_LOOK, "unchanged"),
        ([0.2] * 2 * FIRST_LOOK, "regressed"),
        ([-0.2] * 2 * FIRST_LOOK, "improved"),
    ],
)
def test_equal_values_are_judged_like_others(values, verdict):
    judgement = judge(values, 0.05)
    assert (judgement.verdict, judgement.final) == (verdict, True)
    assert judgement.visible_change == pytest.approx(0, abs=1e-9)


def test_a_larger_threshold_lets_more_pass():
    values = around(0.04, 2 * FIRST_LOOK)
    assert judge(values, 0.025).verdict == "regressed"
    assert judge(values, 0.05).verdict == "unchanged"


@every_noise
def test_what_is_final_stays_whatever_follows(noise):
    generator = np.random.default_rng(3)
    for true in (0.0, 0.03, 0.05):
        series = (true + NOISES[noise](generator, MOST_ROUNDS + 6)).tolist()
        final = final_judgement(series, 0.05)
        for rounds in range(final.rounds, len(series) + 1):
            assert judge(series[:rounds], 0.05) == final


@every_noise
def test_exchanging_the_sides_turns_a_verdict_around(noise):
    generator = np.random.default_rng(4)
    turned = {"regressed": "improved", "improved": "regressed"}
    for true in (0.0, 0.05, 0.1):
        series = true + NOISES[noise](generator, MOST_ROUNDS)
        there, back = judge(series.tolist(), 0.05), judge((-series).tolist(), 0.05)
        assert back.verdict == turned.get(there.verdict, there.verdict)
        assert (back.final, back.rounds) == (there.final, there.rounds)


# What an interval alone says.


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (0.97, 1.00, 1.03, "unchanged"),
        (1.01, 1.02, 1.03, "unchanged"),  # surely there, and surely smaller than the threshold
        (0.97, 1.00, 1.051, "undecided"),
        (1 / 1.051, 1.00, 1.03, "undecided"),
        (1.001, 1.03, 1.06, "regressed"),
        (0.999, 1.03, 1.06, "undecided"),  # perhaps not there
        (1.001, 1.02, 1.06, "undecided"),  # nearer to none than to the threshold
        (1.30, 1.40, 1.50, "regressed"),
        (1 / 1.06, 1 / 1.03, 1 / 1.001, "improved"),
        (1 / 1.06, 1 / 1.02, 1 / 1.001, "undecided"),
        (1 / 1.06, 1 / 1.03, 1.001, "undecided"),
        (0.90, 1.00, 1.10, "undecided"),
        (None, 1.50, None, "undecided"),
    ],
)
def test_a_verdict_is_read_off_the_interval(low, value, high, verdict):
    assert read_off(Estimate(value, low, high), 0.05) == verdict


@pytest.mark.parametrize("width", [0.001, 0.03, 0.2])
def test_an_interval_as_wide_as_the_visible_change_is_decided_wherever_it_lies(width):
    def at(middle, threshold):
        ratio = Estimate(math.exp(middle), math.exp(middle - width), math.exp(middle + width))
        return read_off(ratio, threshold)

    visible = Judgement(
        "undecided", False, Estimate(1.0, math.exp(-width), math.exp(width)), FIRST_LOOK
    ).visible_change
    middles = np.linspace(-3 * width, 3 * width, 601)
    assert "undecided" not in {at(middle, 1.001 * visible) for middle in middles}
    assert "undecided" in {at(middle, 0.98 * visible) for middle in middles}


@given(st.floats(-0.5, 0.5), st.floats(0.0, 0.5), st.floats(0.001, 1.0))
def test_an_interval_that_misses_one_is_undecided_nowhere(centre, half_width, threshold):
    low, value, high = map(math.exp, (centre - half_width, centre, centre + half_width))
    ratio = Estimate(value, low, high)
    if ratio.is_above_one or ratio.is_below_one:
        assert read_off(ratio, threshold) != "undecided"
