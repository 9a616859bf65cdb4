import math
from statistics import fmean

import numpy as np
import pytest
from builders import FIRST_LOOK, LAST_LOOK, around
from scipy import stats

from keras_bench.analyze.sequential import LOOKS, repeated_interval
from keras_bench.analyze.stats import Estimate
from keras_bench.analyze.verdict import Judgement, judge, read_off

MOST_ROUNDS = 2 * LAST_LOOK
CODES = {"improved": -1, "undecided": 0, "regressed": 1, "unchanged": 2}


# Simulations: all looks of thousands of gates at once, and a check that `judge` does the same.


def look(series, threshold):
    """Return what each series' looks come to, and after how many rounds."""
    verdicts = np.zeros(len(series), int)
    rounds = np.full(len(series), LAST_LOOK)
    most = math.log1p(threshold)
    for looked in LOOKS:
        mean = series[:, :looked].mean(axis=1)
        error = series[:, :looked].std(axis=1, ddof=1) / math.sqrt(looked)
        margin = stats.t.isf(0.05 / 2 / len(LOOKS), looked - 1) * error
        said = np.select(
            [
                (mean - margin > -most) & (mean + margin < most),
                (mean - margin > 0) & (mean >= most / 2),
                (mean + margin < 0) & (mean <= -most / 2),
            ],
            [CODES["unchanged"], CODES["regressed"], CODES["improved"]],
            CODES["undecided"],
        )
        deciding = (verdicts == 0) & (said != 0)
        verdicts[deciding], rounds[deciding] = said[deciding], looked
    return verdicts, rounds


def verdicts_and_rounds(series, threshold):
    """Return the final verdict of each gate, and the rounds that it took."""
    first, shown = look(series, threshold)
    verdicts, rounds = first.copy(), shown.copy()
    for change in (CODES["regressed"], CODES["improved"]):
        for looked in LOOKS:
            chosen = np.flatnonzero((first == change) & (shown == looked))
            fresh = series[chosen, looked : looked + LAST_LOOK]
            second, more = look(fresh, threshold)
            agree = (second == change) | (second == CODES["unchanged"])
            verdicts[chosen] = np.where(agree, second, CODES["undecided"])
            rounds[chosen] += more
    return verdicts, rounds


def final_judgement(log_ratios, threshold):
    """Return the judgement of a gate that ends as soon as it is final."""
    for rounds in range(len(log_ratios) + 1):
        judgement = judge(log_ratios[:rounds], threshold)
        if judgement.final:
            return judgement
    raise AssertionError("never final")


def normal(deviation):
    return lambda generator, shape: generator.normal(0, deviation, shape)


def heavy_tails(generator, shape):
    return 0.01 * generator.standard_t(3, shape)


def stalls(generator, shape):
    """One round in twenty is off by a fifth or so, to the cost of either side."""
    off = generator.exponential(0.2, shape) * generator.choice([-1, 1], shape)
    return generator.normal(0, 0.01, shape) + (generator.random(shape) < 0.05) * off


def two_modes(generator, shape):
    """Every process has one of two speeds, 3 % apart."""
    apart = generator.integers(0, 2, shape) - generator.integers(0, 2, shape)
    return generator.normal(0, 0.005, shape) + 0.03 * apart


NOISES = {
    "0.5 %": normal(0.005),
    "1 %": normal(0.01),
    "2 %": normal(0.02),
    "3 %": normal(0.03),
    "heavy tails": heavy_tails,
    "stalls": stalls,
    "two modes": two_modes,
}
#: Where the rounds of the last look, and as many that confirm, are enough for the threshold.
QUIET = {0.05: ("0.5 %", "1 %", "2 %", "3 %", "heavy tails", "two modes")}
QUIET[0.025] = ("0.5 %", "1 %", "2 %", "heavy tails", "two modes")

every_noise = pytest.mark.parametrize("noise", NOISES)
both_thresholds = pytest.mark.parametrize("threshold", [0.05, 0.025])


def simulated(noise, threshold, true_ratio, gates, seed=0):
    generator = np.random.default_rng([seed, list(NOISES).index(noise), round(1e4 * true_ratio)])
    series = math.log(true_ratio) + NOISES[noise](generator, (gates, MOST_ROUNDS))
    return verdicts_and_rounds(series, threshold)


def how_many(verdicts, name):
    return int((verdicts == CODES[name]).sum())


def at_most(count, gates):
    """Return the share that it surely doesn't exceed: the upper end of a 99.9 % interval."""
    return stats.binomtest(count, gates, alternative="less").proportion_ci(0.999).high


def at_least(count, gates):
    return stats.binomtest(count, gates, alternative="greater").proportion_ci(0.999).low


@every_noise
@pytest.mark.parametrize("share_of_threshold", [0.0, 0.5, 1.0, 2.0])
def test_the_simulations_say_what_judge_says(noise, share_of_threshold):
    generator = np.random.default_rng(7)
    true = share_of_threshold * math.log1p(0.05)
    series = true + NOISES[noise](generator, (12, MOST_ROUNDS))
    for one, verdict, rounds in zip(series, *verdicts_and_rounds(series, 0.05), strict=True):
        judgement = final_judgement(one.tolist(), 0.05)
        assert (CODES[judgement.verdict], judgement.rounds) == (verdict, rounds)


@both_thresholds
@every_noise
def test_where_nothing_changed_a_regression_is_said_in_far_less_than_one_percent(noise, threshold):
    """By the bound in 0.0625 %, which normal noise keeps."""
    gates = 20_000
    verdicts, _ = simulated(noise, threshold, 1.0, gates)
    for change in ("regressed", "improved"):
        assert at_most(how_many(verdicts, change), gates) <= 0.00125


def test_false_alarms_of_normal_noise_stay_below_the_bound():
    gates = 60_000
    verdicts, _ = simulated("2 %", 0.05, 1.0, gates, seed=1)
    assert at_most(how_many(verdicts, "regressed"), gates) <= 0.025**2
    # Sixteen comparisons in one gate.
    together = verdicts[: gates // 16 * 16].reshape(-1, 16)
    alarms = int((together == CODES["regressed"]).any(axis=1).sum())
    assert at_most(alarms, len(together)) <= 0.01


@both_thresholds
@every_noise
def test_a_slowdown_of_the_threshold_is_missed_in_at_most_5_percent(noise, threshold):
    gates = 10_000
    verdicts, _ = simulated(noise, threshold, 1 + threshold, gates)
    missed = how_many(verdicts, "unchanged")
    assert at_most(missed, gates) <= 0.05
    assert how_many(verdicts, "improved") == 0
    assert missed > 0  # so that a rule that never says "unchanged" couldn't pass


@both_thresholds
def test_a_slowdown_of_the_threshold_is_found_where_the_noise_lets_the_looks_suffice(threshold):
    gates = 5_000
    for noise in QUIET[threshold]:
        verdicts, _ = simulated(noise, threshold, 1 + threshold, gates)
        assert at_least(how_many(verdicts, "regressed"), gates) >= 0.95, noise


@both_thresholds
def test_where_nothing_changed_it_is_said_where_the_noise_lets_the_looks_suffice(threshold):
    gates = 5_000
    for noise in QUIET[threshold]:
        verdicts, _ = simulated(noise, threshold, 1.0, gates)
        assert at_least(how_many(verdicts, "unchanged"), gates) >= 0.98, noise


@both_thresholds
@every_noise
def test_a_slowdown_of_twice_the_threshold_is_practically_never_missed(noise, threshold):
    gates = 5_000
    verdicts, _ = simulated(noise, threshold, 1 + 2 * threshold, gates)
    assert at_most(how_many(verdicts, "unchanged"), gates) <= 0.003
    if noise != "stalls":
        assert at_least(how_many(verdicts, "regressed"), gates) >= 0.99


@every_noise
def test_what_is_faster_is_found_as_often_as_what_is_slower(noise):
    gates = 5_000
    verdicts, _ = simulated(noise, 0.05, 1 / 1.05, gates)
    assert at_most(how_many(verdicts, "unchanged"), gates) <= 0.05
    assert how_many(verdicts, "regressed") == 0
    if noise in QUIET[0.05]:
        assert at_least(how_many(verdicts, "improved"), gates) >= 0.95


def test_between_none_and_the_threshold_either_may_be_said_and_never_the_contrary():
    gates = 5_000
    verdicts, _ = simulated("2 %", 0.05, math.sqrt(1.05), gates)
    assert how_many(verdicts, "improved") == 0
    for either in ("regressed", "unchanged"):
        assert at_least(how_many(verdicts, either), gates) >= 0.1


@both_thresholds
def test_the_less_noise_the_fewer_rounds(threshold):
    needed = [
        simulated(noise, threshold, 1.0, 2_000)[1].mean()
        for noise in ("0.5 %", "1 %", "2 %", "3 %")
    ]
    assert needed == sorted(needed)
    assert needed[0] < LOOKS[1]


# The candidate's processes alone have two speeds. What is said of it is a limit, and no promise:
# these tell when it moves.


def one_side_of_two_speeds(slow_share, apart, gates, seed=11):
    """Return series whose mean is 0, each round on one of two levels so far apart."""
    generator = np.random.default_rng(seed)
    shape = (gates, MOST_ROUNDS)
    level = apart * ((generator.random(shape) < slow_share) - slow_share)
    return generator.normal(0, 0.005, shape) + level


@both_thresholds
def test_half_of_one_sides_processes_may_be_slower_by_the_threshold(threshold):
    """As many rounds of one speed as the first look needs: 1 in 64 has them, twice over."""
    gates = 10_000
    series = one_side_of_two_speeds(0.5, threshold, gates)
    slower, _ = verdicts_and_rounds(series + math.log1p(threshold), threshold)
    missed = how_many(slower, "unchanged")
    assert at_most(missed, gates) <= 0.05
    assert missed / gates > 0.03


def test_where_few_of_one_sides_processes_are_slow_a_slowdown_is_missed():
    gates = 10_000
    series = one_side_of_two_speeds(0.2, 0.05, gates)
    slower, _ = verdicts_and_rounds(series + math.log1p(0.05), 0.05)
    assert 0.3 < how_many(slower, "unchanged") / gates < 0.4


@both_thresholds
@pytest.mark.parametrize("slow_share", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("thresholds_apart", [1, 2])
def test_two_speeds_of_one_side_raise_no_false_alarm(threshold, slow_share, thresholds_apart):
    gates = 5_000
    series = one_side_of_two_speeds(slow_share, thresholds_apart * threshold, gates)
    verdicts, _ = verdicts_and_rounds(series, threshold)
    for change in ("regressed", "improved"):
        assert at_most(how_many(verdicts, change), gates) <= 0.01


def test_two_speeds_of_one_side_far_apart_raise_false_alarms():
    gates = 10_000
    series = one_side_of_two_speeds(0.8, 0.1, gates)
    verdicts, _ = verdicts_and_rounds(series, 0.025)
    assert 0.04 < how_many(verdicts, "regressed") / gates < 0.06


# The states, one by one.

SLOWER, SAME, FASTER = 0.10, 0.0, -0.10


def test_without_a_round_nothing_is_known():
    assert judge([], 0.05) == Judgement("undecided", False, None, 0)


@pytest.mark.parametrize("rounds", range(1, FIRST_LOOK))
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
