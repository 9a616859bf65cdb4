"""Where values in a row are parted into levels."""

from itertools import chain, combinations, pairwise

import numpy as np
import pytest

from keras_bench.analyze.partition import partition

LEAST, PENALTY = 3, 1.0


def cost(values, places):
    parts = np.split(values, places)
    return sum(((part - part.mean()) ** 2).sum() for part in parts) + PENALTY * len(places)


def ways(count):
    """Return every way to part so many values into levels of three at least."""
    most = count // LEAST
    every = chain.from_iterable(combinations(range(1, count), number) for number in range(most))
    return [
        places
        for places in every
        if all(end - begin >= LEAST for begin, end in pairwise((0, *places, count)))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_other_way_costs_less(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 0.8, 14) + np.repeat(generator.choice([-1.0, 0.0, 1.0], 7), 2)
    cheapest = min(ways(len(values)), key=lambda places: cost(values, places))
    assert partition(values - values.mean(), LEAST, PENALTY) == list(cheapest)


def test_too_few_values_for_two_levels_are_one():
    assert partition(np.array([-9.0, -9.0, -9.0, 9.0, 9.0]), LEAST, PENALTY) == []
