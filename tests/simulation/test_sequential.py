"""How often the intervals of all looks hold the truth together."""

import numpy as np
from bounds import at_least, between

from keras_bench.analyze.sequential import LOOKS, repeated_interval


def misses(draw, simulations):
    """Return for each simulated series at which of the looks the interval misses a ratio of 1."""
    return np.array(
        [
            [
                not each.low <= 1 <= each.high
                for each in (repeated_interval(series[:rounds]) for rounds in LOOKS)
            ]
            for series in draw((simulations, LOOKS[-1])).tolist()
        ]
    )


def test_the_intervals_of_all_looks_cover_the_truth_together_in_95_percent(draws):
    """Of 2500 series 97.2 % have no look that misses, for the looks resemble each other."""
    simulations = draws(20_000)
    generator = np.random.default_rng(1)
    missed = misses(lambda shape: generator.normal(0, 0.02, shape), simulations)
    assert at_least(int((~missed.any(axis=1)).sum()), simulations, 0.95)
    share = 0.05 / len(LOOKS)
    for at_look in missed.T:
        assert between(int(at_look.sum()), simulations, share, share)


def test_heavy_tails_cost_the_intervals_no_coverage(draws):
    simulations = draws(10_000)
    generator = np.random.default_rng(2)
    missed = misses(lambda shape: 0.02 * generator.standard_t(3, shape), simulations)
    assert at_least(int((~missed.any(axis=1)).sum()), simulations, 0.95)
