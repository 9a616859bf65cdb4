"""How near to the truth a calibration comes, whose gates are drawn from few measured rounds."""

import math

import numpy as np
import pytest
from bounds import at_least, at_most
from calibrations import found_in, normal
from simulated_gates import MOST_ROUNDS, how_many, verdicts_and_rounds

from keras_bench.analyze import calibration as calibrating
from keras_bench.analyze.calibration import THRESHOLDS, WANTED_POWER

#: The rounds that gates are drawn from are a few hundred, and not quite as normal noise has them.
FEW_ROUNDS = 0.03


@pytest.fixture
def gates(monkeypatch, draws):
    """Draw so many gates, which take as long as they are many."""
    monkeypatch.setattr(calibrating, "GATES", draws(500))
    monkeypatch.setattr(calibrating, "REDRAWS", 20)
    return calibrating.GATES


@pytest.fixture
def true_gates(draws):
    """Return the verdicts and the rounds of gates whose noise is known, and no calibration's."""

    def drawn(slowdown, deviation, threshold, seed=9):
        generator = np.random.default_rng(seed)
        shape = (draws(50_000), MOST_ROUNDS)
        return verdicts_and_rounds(
            generator.normal(math.log1p(slowdown), deviation, shape), threshold
        )

    return drawn


@pytest.fixture
def true_power(true_gates):
    def share(slowdown, deviation, threshold):
        verdicts, _ = true_gates(slowdown, deviation, threshold)
        return how_many(verdicts, "regressed") / len(verdicts)

    return share


def unchanged(deviation, rounds, seed=0):
    return normal(deviation, rounds, seed, slowdowns=(0.0,))


@pytest.mark.parametrize("deviation", [0.01, 0.03])
def test_the_powers_are_near_the_truth_where_the_noise_is_known(
    deviation, gates, true_gates, true_power
):
    found = found_in(normal(deviation, 150, seed=2))
    assert found.noise == pytest.approx(deviation, rel=0.1)
    for power in found.powers:
        truth = true_power(power.slowdown, deviation, 0.05)
        _, rounds = true_gates(power.slowdown, deviation, 0.05)
        assert power.regressed.gates == gates
        assert power.regressed.value == pytest.approx(truth, abs=0.15)
        assert power.regressed.low - FEW_ROUNDS <= truth <= power.regressed.high + FEW_ROUNDS
        assert power.rounds == pytest.approx(rounds.mean(), rel=0.2)


@pytest.mark.usefixtures("gates")
def test_an_interval_tells_how_little_few_rounds_know():
    few, many = (found_in(normal(0.03, rounds)).powers[2].regressed for rounds in (8, 200))
    for rate in (few, many):
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert few.high - few.low > many.high - many.low


# The smallest slowdown, and the budget for it.


@pytest.mark.usefixtures("gates")
@pytest.mark.parametrize("deviation", [0.01, 0.02, 0.05])
def test_the_smallest_slowdown_is_near_the_truth_where_the_noise_is_known(deviation, true_power):
    truth = next(size for size in THRESHOLDS if true_power(size, deviation, size) >= WANTED_POWER)
    found = found_in(unchanged(deviation, 240, seed=3))
    assert abs(THRESHOLDS.index(found.smallest_slowdown) - THRESHOLDS.index(truth)) <= 1


def test_the_smallest_slowdown_is_found_where_no_smaller_one_is(gates, true_power):
    found = found_in(unchanged(0.02, 120))
    place = THRESHOLDS.index(found.smallest_slowdown)
    smaller, smallest = (
        true_power(size, found.noise, size) for size in THRESHOLDS[place - 1 : place + 1]
    )
    just_enough = math.ceil(WANTED_POWER * gates)
    assert at_most(just_enough, gates, min(1.0, smallest + FEW_ROUNDS))
    assert at_least(just_enough - 1, gates, smaller - FEW_ROUNDS)


@pytest.mark.usefixtures("gates")
def test_the_more_noise_the_larger_the_smallest_slowdown():
    deviations = (0.002, 0.02, 0.05, 0.1)
    smallest = [found_in(unchanged(each, 80)).smallest_slowdown for each in deviations]
    assert smallest == sorted(set(smallest))
    assert smallest[0] == THRESHOLDS[0]


@pytest.mark.usefixtures("gates")
def test_it_does_not_depend_on_the_threshold_that_was_asked_about():
    rounds = normal(0.02, 20)
    tight, loose = found_in(rounds, 0.01), found_in(rounds, 0.1)
    assert tight.smallest_slowdown == pytest.approx(loose.smallest_slowdown, rel=0.5)
    assert tight.powers[2].regressed.value != loose.powers[2].regressed.value


@pytest.mark.usefixtures("gates")
def test_the_budget_is_enough_for_nearly_all_gates(true_gates):
    found = found_in(unchanged(0.02, 120))
    affordable = (found.budget_seconds - 5.0) / 10.0
    size = found.smallest_slowdown
    for slowdown in (0.0, size):
        _, rounds = true_gates(slowdown, found.noise, size)
        assert at_least(int((rounds <= affordable).sum()), len(rounds), 0.9)
