"""How often a gate's verdict is wrong, by the looks of thousands of gates at once."""

import math

import numpy as np
import pytest
from bounds import at_least, at_most, between
from simulated_gates import (
    CODES,
    MOST_ROUNDS,
    NOISES,
    final_judgement,
    how_many,
    verdicts_and_rounds,
)

from keras_bench.analyze.sequential import LOOKS

#: Where the rounds of the last look, and as many that confirm, are enough for the threshold.
QUIET = {0.05: ("0.5 %", "1 %", "2 %", "3 %", "heavy tails", "two modes")}
QUIET[0.025] = ("0.5 %", "1 %", "2 %", "heavy tails", "two modes")

every_noise = pytest.mark.parametrize("noise", NOISES)
both_thresholds = pytest.mark.parametrize("threshold", [0.05, 0.025])


def simulated(noise, threshold, true_ratio, gates, seed=0):
    generator = np.random.default_rng([seed, list(NOISES).index(noise), round(1e4 * true_ratio)])
    series = math.log(true_ratio) + NOISES[noise](generator, (gates, MOST_ROUNDS))
    return verdicts_and_rounds(series, threshold)


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
def test_where_nothing_changed_a_regression_is_said_in_far_less_than_one_percent(
    noise, threshold, draws
):
    """By the bound in 0.0625 %, of normal noise, which the others keep, too."""
    gates = draws(100_000)
    verdicts, _ = simulated(noise, threshold, 1.0, gates)
    for change in ("regressed", "improved"):
        assert at_most(how_many(verdicts, change), gates, 0.025**2)


def test_false_alarms_of_normal_noise_stay_below_the_bound(draws):
    gates = draws(200_000)
    verdicts, _ = simulated("2 %", 0.05, 1.0, gates, seed=1)
    assert at_most(how_many(verdicts, "regressed"), gates, 0.025**2)
    # Sixteen comparisons in one gate.
    together = verdicts[: gates // 16 * 16].reshape(-1, 16)
    alarms = int((together == CODES["regressed"]).any(axis=1).sum())
    assert at_most(alarms, len(together), 0.01)


@both_thresholds
@every_noise
def test_a_slowdown_of_the_threshold_is_missed_in_at_most_5_percent(noise, threshold, draws):
    gates = draws(40_000)
    verdicts, _ = simulated(noise, threshold, 1 + threshold, gates)
    missed = how_many(verdicts, "unchanged")
    assert at_most(missed, gates, 0.05)
    assert how_many(verdicts, "improved") == 0
    assert missed > 0  # so that a rule that never says "unchanged" couldn't pass


@both_thresholds
def test_a_slowdown_of_the_threshold_is_found_where_the_noise_lets_the_looks_suffice(
    threshold, draws
):
    gates = draws(20_000)
    for noise in QUIET[threshold]:
        verdicts, _ = simulated(noise, threshold, 1 + threshold, gates)
        assert at_least(how_many(verdicts, "regressed"), gates, 0.95), noise


@both_thresholds
def test_where_nothing_changed_it_is_said_where_the_looks_suffice(threshold, draws):
    gates = draws(20_000)
    for noise in QUIET[threshold]:
        verdicts, _ = simulated(noise, threshold, 1.0, gates)
        assert at_least(how_many(verdicts, "unchanged"), gates, 0.98), noise


@both_thresholds
@every_noise
def test_a_slowdown_of_twice_the_threshold_is_practically_never_missed(noise, threshold, draws):
    gates = draws(20_000)
    verdicts, _ = simulated(noise, threshold, 1 + 2 * threshold, gates)
    assert at_most(how_many(verdicts, "unchanged"), gates, 0.003)
    if noise != "stalls":
        assert at_least(how_many(verdicts, "regressed"), gates, 0.99)


@every_noise
def test_what_is_faster_is_found_as_often_as_what_is_slower(noise, draws):
    gates = draws(20_000)
    verdicts, _ = simulated(noise, 0.05, 1 / 1.05, gates)
    assert at_most(how_many(verdicts, "unchanged"), gates, 0.05)
    assert how_many(verdicts, "regressed") == 0
    if noise in QUIET[0.05]:
        assert at_least(how_many(verdicts, "improved"), gates, 0.95)


def test_between_none_and_the_threshold_either_may_be_said_and_never_the_contrary(draws):
    gates = draws(20_000)
    verdicts, _ = simulated("2 %", 0.05, math.sqrt(1.05), gates)
    assert how_many(verdicts, "improved") == 0
    for either in ("regressed", "unchanged"):
        assert at_least(how_many(verdicts, either), gates, 0.1)


@both_thresholds
def test_the_less_noise_the_fewer_rounds(threshold, draws):
    needed = [
        simulated(noise, threshold, 1.0, draws(20_000))[1].mean()
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
def test_half_of_one_sides_processes_may_be_slower_by_the_threshold(threshold, draws):
    """As many rounds of one speed as the first look needs: 1 in 64 has them, twice over."""
    gates = draws(40_000)
    series = one_side_of_two_speeds(0.5, threshold, gates)
    slower, _ = verdicts_and_rounds(series + math.log1p(threshold), threshold)
    missed = how_many(slower, "unchanged")
    assert at_most(missed, gates, 0.05)
    assert at_least(missed, gates, 0.03)


def test_where_few_of_one_sides_processes_are_slow_a_slowdown_is_missed(draws):
    gates = draws(40_000)
    series = one_side_of_two_speeds(0.2, 0.05, gates)
    slower, _ = verdicts_and_rounds(series + math.log1p(0.05), 0.05)
    assert between(how_many(slower, "unchanged"), gates, 0.3, 0.4)


@both_thresholds
@pytest.mark.parametrize("slow_share", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("thresholds_apart", [1, 2])
def test_two_speeds_of_one_side_raise_no_false_alarm(
    threshold, slow_share, thresholds_apart, draws
):
    gates = draws(20_000)
    series = one_side_of_two_speeds(slow_share, thresholds_apart * threshold, gates)
    verdicts, _ = verdicts_and_rounds(series, threshold)
    for change in ("regressed", "improved"):
        assert at_most(how_many(verdicts, change), gates, 0.01)


def test_two_speeds_of_one_side_far_apart_raise_false_alarms(draws):
    gates = draws(40_000)
    series = one_side_of_two_speeds(0.8, 0.1, gates)
    verdicts, _ = verdicts_and_rounds(series, 0.025)
    assert between(how_many(verdicts, "regressed"), gates, 0.04, 0.06)
