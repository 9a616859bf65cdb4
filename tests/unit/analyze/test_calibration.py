import math
from statistics import stdev

import numpy as np
import pytest
from builders import FIRST_LOOK, around, calibration_round
from calibrations import SLOWDOWNS, found_in, normal

from keras_bench.analyze import calibration as calibrating
from keras_bench.analyze.calibration import THRESHOLDS

GATES = 40


@pytest.fixture(autouse=True)
def fewer_gates(monkeypatch):
    """Draw fewer gates than for people: what is known here depends on their number but a little."""
    monkeypatch.setattr(calibrating, "GATES", GATES)
    monkeypatch.setattr(calibrating, "REDRAWS", 4)


def calm(rounds, slowdown=0.0, spread=0.001):
    return [
        calibration_round(each, slowdown)
        for each in around(math.log1p(slowdown), rounds, spread=spread)
    ]


# Known answers.


def test_rounds_that_agree_give_gates_that_do():
    found = found_in([*calm(20), *calm(20, 0.1)])
    none, slower = found.powers
    assert (none.slowdown, none.regressed.value) == (0.0, 0.0)
    assert (slower.slowdown, slower.regressed.value) == (0.1, 1.0)
    assert (slower.regressed.low, slower.regressed.high) == (1.0, 1.0)
    assert slower.regressed.gates == GATES
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


def test_the_same_seed_draws_the_same_gates():
    rounds = normal(0.03, 20)
    assert found_in(rounds, seed=3) == found_in(rounds, seed=3)
    assert found_in(rounds, seed=3) != found_in(rounds, seed=4)


# The smallest slowdown, and the budget for it.


def test_the_budget_is_that_of_the_longest_gates_and_of_the_check():
    # Of rounds that agree, none takes longer than the confirmation of a change.
    rounds = calm(20, spread=0.0001)
    assert found_in(rounds).budget_seconds == pytest.approx(5.0 + 2 * FIRST_LOOK * 10.0)
    assert found_in(rounds, parity_seconds=50.0).budget_seconds == pytest.approx(
        50.0 + 2 * FIRST_LOOK * 10.0
    )


def test_a_machine_can_be_too_restless_for_any_threshold():
    found = found_in(normal(1.5, 20))
    assert (found.smallest_slowdown, found.budget_seconds) == (None, None)
    assert found.noise == pytest.approx(1.5, rel=0.2)
    assert len(found.powers) == len(SLOWDOWNS)


@pytest.mark.parametrize("rounds", range(1, FIRST_LOOK))
def test_too_few_rounds_say_nothing(rounds):
    found = found_in(calm(rounds))
    assert found.noise is found.smallest_slowdown is found.budget_seconds is None


def test_a_slowdown_of_a_single_round_has_no_row():
    found = found_in([*calm(20), calibration_round(0.1, 0.1)])
    assert [power.slowdown for power in found.powers] == [0.0]
    assert found.smallest_slowdown == THRESHOLDS[0]


def test_one_round_of_each_slowdown_says_nothing():
    found = found_in([calibration_round(0.1 * each, 0.1 * each) for each in range(20)])
    assert (found.powers, found.noise) == ((), None)
