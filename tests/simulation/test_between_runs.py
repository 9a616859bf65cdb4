"""How often the interval of two runs that nothing changed between says that something did."""

import numpy as np
import pytest
from bounds import at_least, at_most
from comparing_builders import WITHIN, processes_of, rows_around

from keras_bench.analyze.between_runs import lasting, noise
from keras_bench.analyze.stats import difference

EACH_SIDE = 0.025


def misses(runs, simulations, *, deviation, counts=(7, 7), wander=False, places=None):
    """Return how often the interval of unchanged runs lies above 1, and below.

    Of `runs` and two more in the order of time, those at `places` are compared.
    """
    generator = np.random.default_rng(runs)
    above = below = 0
    places = places or (1, runs)
    for _ in range(simulations):
        levels = generator.normal(0, deviation, runs + 2)
        if wander:
            levels = levels / 2 + np.cumsum(generator.normal(0, deviation / 2, runs + 2))
        sides = [
            processes_of(levels[place], count, generator)
            for place, count in zip(places, counts, strict=True)
        ]
        noise_between = noise(rows_around(np.delete(levels, places), generator))
        found = lasting(difference(sides[1], sides[0]), noise_between, EACH_SIDE)
        above += found.low > 1
        below += found.high < 1
    return above, below


@pytest.mark.parametrize("runs", [5, 8, 20])
def test_runs_that_nothing_changed_between_differ_surely_as_often_as_promised(runs, draws):
    simulations = draws(600)
    above, below = misses(runs, simulations, deviation=0.04)
    for count in (above, below):
        assert at_most(count, simulations, EACH_SIDE)
    # Trimming errs to the safe side, by a hundredth at the most.
    assert at_least(above + below, simulations, 2 * (EACH_SIDE - 0.01))


@pytest.mark.parametrize("counts", [(3, 3), (4, 12), (20, 20)])
def test_more_or_fewer_processes_than_the_history_had_cost_nothing(counts, draws):
    simulations = draws(600)
    for count in misses(8, simulations, deviation=WITHIN / 2, counts=counts):
        assert at_most(count, simulations, EACH_SIDE)


@pytest.mark.parametrize("runs", [6, 20])
def test_a_machine_that_wanders_misleads_somewhat_more_often(runs, draws):
    # The noise isn't independent from run to run, as is taken for granted; the interval is short
    # by so much where the two runs lie as far apart as the history allows.
    simulations = draws(600)
    usual = misses(runs, simulations, deviation=0.03, wander=True, places=(runs // 2, runs + 1))
    assert at_most(max(usual), simulations, 0.05)
    longest = misses(runs, simulations, deviation=0.03, wander=True, places=(1, runs))
    assert at_most(max(longest), simulations, 0.1)
