import math
from statistics import stdev

import numpy as np
import pytest
from builders import FIRST_LOOK, LAST_LOOK, around, calibration, calibration_round

from keras_bench.analyze import calibration as calibrating
from keras_bench.analyze.calibration import THRESHOLDS, WANTED_POWER, capability
from keras_bench.analyze.verdict import judge

SLOWDOWNS = (0.0, 0.025, 0.05, 0.1)


@pytest.fixture(autouse=True)
def fewer_gates(monkeypatch):
    """Draw fewer gates than for people: what is tested depends on their number but a little."""
    monkeypatch.setattr(calibrating, "GATES", 400)
    monkeypatch.setattr(calibrating, "REDRAWS", 20)


def found_in(rounds, threshold=0.05, **changes):
    return capability(calibration(*rounds, **changes), threshold)


def calm(rounds, slowdown=0.0, spread=0.001):
    return [
        calibration_round(each, slowdown)
        for each in around(math.log1p(slowdown), rounds, spread=spread)
    ]


def normal(deviation, rounds, seed=0, slowdowns=SLOWDOWNS):
    generator = np.random.default_rng(seed)
    return [
        calibration_round(math.log1p(slowdown) + generator.normal(0, deviation), slowdown)
        for _ in range(rounds)
        for slowdown in slowdowns
    ]


# Known answers.


def test_rounds_that_agree_give_gates_that_do():
    found = found_in([*calm(20), *calm(20, 0.1)])
    none, slower = found.powers
    assert (none.slowdown, none.regressed.value) == (0.0, 0.0)
    assert (slower.slowdown, slower.regressed.value) == (0.1, 1.0)
    assert (slower.regressed.low, slower.regressed.high) == (1.0, 1.0)
    assert slower.regressed.gates == 400
    assert (none.rounds, slower.rounds) == (FIRST_LOOK, 2 * FIRST_LOOK)
    assert (none.seconds, slower.seconds) == (10.0 * FIRST_LOOK, 20.0 * FIRST_LOOK)


def test_the_rows_are_in_the_order_of_the_slowdowns_whatever_that_of_the_rounds():
    rounds = normal(0.01, 5, slowdowns=(0.1, 0.0, 0.05, 0.0))
    assert [power.slowdown for power in found_in(rounds).powers] == [0.0, 0.05, 0.1]


def test_gates_replayed_in_order_use_each_round_once():
    # Three gates of none, a look each, and two of the slower ones, which are confirmed.
    rounds = [*calm(3 * FIRST_LOOK + 2), *calm(4 * FIRST_LOOK + 3, 0.1)]
    none, slower = found_in(rounds).powers
    assert (none.in_order.gates, none.in_order.value) == (3, 0.0)
    assert (slower.in_order.gates, slower.in_order.value) == (2, 1.0)
    # Clopper's and Pearson's: 1 - 0.025^(1/3), and 0.025^(1/2).
    assert none.in_order.high == pytest.approx(1 - 0.025 ** (1 / 3))
    assert slower.in_order.low == pytest.approx(0.025 ** (1 / 2))


def test_gates_replayed_in_order_take_the_rounds_as_they_came():
    slower, same = around(0.1, 2 * FIRST_LOOK), around(0.0, FIRST_LOOK)
    rounds = [calibration_round(each) for each in [*same, *slower, *same]]
    (power,) = found_in(rounds).powers
    assert (power.in_order.gates, power.in_order.value) == (3, pytest.approx(1 / 3))


def test_too_few_rounds_for_a_whole_gate_are_none():
    (power,) = found_in(calm(FIRST_LOOK - 1)).powers
    assert power.in_order is None


def test_the_noise_is_the_standard_deviation_of_the_log_ratios():
    logs = np.random.default_rng(1).normal(0.0, 0.02, 40).tolist()
    found = found_in([calibration_round(each) for each in logs])
    assert found.noise == pytest.approx(stdev(logs))
    # What was added to some is no noise, nor is a bias that the waiting has.
    biased = [calibration_round(each + 0.3, 0.1) for each in logs]
    assert found_in([*map(calibration_round, logs), *biased]).noise == pytest.approx(stdev(logs))


def test_the_clock_is_that_of_the_metric():
    rounds = [
        calibration_round(each, cpu_log_ratio=each / 10) for each in around(0.0, 20, spread=0.1)
    ]
    by_wall, by_cpu = found_in(rounds), found_in(rounds, metric="cpu")
    assert by_wall.noise == pytest.approx(10 * by_cpu.noise)
    assert by_cpu.smallest_slowdown < by_wall.smallest_slowdown


def test_an_interval_tells_how_little_few_rounds_know():
    few, many = (found_in(normal(0.03, rounds)).powers[2].regressed for rounds in (8, 200))
    for rate in (few, many):
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert few.high - few.low > many.high - many.low


def test_the_same_seed_draws_the_same_gates():
    rounds = normal(0.03, 20)
    assert found_in(rounds, seed=3) == found_in(rounds, seed=3)
    assert found_in(rounds, seed=3) != found_in(rounds, seed=4)


# The smallest slowdown, and the budget for it.


def test_the_smallest_slowdown_is_found_where_no_smaller_one_is():
    found = found_in(normal(0.02, 30))
    place = THRESHOLDS.index(found.smallest_slowdown)
    generator = np.random.default_rng(5)

    def power(size):
        draws = generator.normal(math.log1p(size), found.noise, (1000, 2 * LAST_LOOK))
        return np.mean([judge(each, size).verdict == "regressed" for each in draws.tolist()])

    assert power(THRESHOLDS[place]) >= WANTED_POWER - 0.03
    assert power(THRESHOLDS[place - 1]) < WANTED_POWER + 0.03


def test_the_more_noise_the_larger_the_smallest_slowdown():
    smallest = [found_in(normal(each, 20)).smallest_slowdown for each in (0.002, 0.02, 0.05, 0.1)]
    assert smallest == sorted(set(smallest))
    assert smallest[0] == THRESHOLDS[0]


def test_it_does_not_depend_on_the_threshold_that_was_asked_about():
    rounds = normal(0.02, 20)
    tight, loose = found_in(rounds, 0.01), found_in(rounds, 0.1)
    assert tight.smallest_slowdown == pytest.approx(loose.smallest_slowdown, rel=0.5)
    assert tight.powers[2].regressed.value != loose.powers[2].regressed.value


def test_the_budget_is_that_of_the_longest_gates_and_of_the_check():
    # Of rounds that agree, none takes longer than the confirmation of a change.
    rounds = calm(20, spread=0.0001)
    assert found_in(rounds).budget_seconds == pytest.approx(5.0 + 2 * FIRST_LOOK * 10.0)
    assert found_in(rounds, parity_seconds=50.0).budget_seconds == pytest.approx(
        50.0 + 2 * FIRST_LOOK * 10.0
    )


def test_the_budget_is_enough_for_nearly_all_gates():
    found = found_in(normal(0.02, 30))
    affordable = (found.budget_seconds - 5.0) / 10.0
    generator = np.random.default_rng(6)
    for true in (0.0, math.log1p(found.smallest_slowdown)):
        draws = generator.normal(true, found.noise, (500, 2 * LAST_LOOK)).tolist()
        rounds = [judge(each, found.smallest_slowdown).rounds for each in draws]
        assert np.mean([each <= affordable for each in rounds]) >= 0.85


def test_a_machine_can_be_too_restless_for_any_threshold():
    found = found_in(normal(1.5, 20))
    assert (found.smallest_slowdown, found.budget_seconds) == (None, None)
    assert found.noise == pytest.approx(1.5, rel=0.2)
    assert len(found.powers) == len(SLOWDOWNS)


# Rounds that a gate wouldn't count.


def test_rounds_under_another_load_do_not_count():
    quiet = calm(20)
    loud = [calibration_round(0.5, other_busy_cores=1.0) for _ in range(20)]
    mixed = [each for both in zip(quiet, loud, strict=True) for each in both]
    found, undisturbed = found_in(mixed), found_in(quiet)
    assert (found.counted, found.noise) == (20, undisturbed.noise)
    assert found.powers == undisturbed.powers


@pytest.mark.parametrize("counted", range(FIRST_LOOK))
def test_too_few_rounds_that_count_say_nothing(counted):
    rounds = calm(counted) if counted else []
    loud = [calibration_round(0.5, other_busy_cores=1.0) for _ in range(20 if counted else 0)]
    found = found_in([*rounds, *loud])
    assert found.counted == counted
    assert found.noise is found.smallest_slowdown is found.budget_seconds is None


def test_a_slowdown_of_a_single_round_has_no_row():
    found = found_in([*calm(20), calibration_round(0.1, 0.1)])
    assert [power.slowdown for power in found.powers] == [0.0]
    assert (found.counted, found.smallest_slowdown) == (21, THRESHOLDS[0])


def test_one_round_of_each_slowdown_says_nothing():
    found = found_in([calibration_round(0.1 * each, 0.1 * each) for each in range(20)])
    assert (found.powers, found.noise) == ((), None)


# Near the truth.


def true_power(slowdown, deviation, threshold, gates=4000):
    generator = np.random.default_rng(9)
    draws = generator.normal(math.log1p(slowdown), deviation, (gates, 2 * LAST_LOOK)).tolist()
    judgements = [judge(each, threshold) for each in draws]
    regressed = np.mean([each.verdict == "regressed" for each in judgements])
    return regressed, np.mean([each.rounds for each in judgements])


@pytest.mark.parametrize("deviation", [0.01, 0.03])
def test_the_powers_are_near_the_truth_where_the_noise_is_known(deviation):
    found = found_in(normal(deviation, 150, seed=2))
    assert found.noise == pytest.approx(deviation, rel=0.1)
    for power in found.powers:
        truth, rounds = true_power(power.slowdown, deviation, 0.05)
        assert power.regressed.value == pytest.approx(truth, abs=0.15)
        assert power.regressed.low - 0.03 <= truth <= power.regressed.high + 0.03
        assert power.rounds == pytest.approx(rounds, rel=0.2)


@pytest.mark.parametrize("deviation", [0.01, 0.02, 0.05])
def test_the_smallest_slowdown_is_near_the_truth_where_the_noise_is_known(deviation):
    truth = next(
        size for size in THRESHOLDS if true_power(size, deviation, size, 1000)[0] >= WANTED_POWER
    )
    found = found_in(normal(deviation, 60, seed=3))
    known = THRESHOLDS.index(truth)
    assert abs(THRESHOLDS.index(found.smallest_slowdown) - known) <= 1
