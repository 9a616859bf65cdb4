"""How often a comparison of two unchanged runs says that something regressed."""

import math

import numpy as np
import pytest
from bounds import at_least, at_most
from comparing_builders import measured_arm, measured_run_of, processes_of, rows_around
from history_builders import started

from keras_bench.analyze.compared import compare
from keras_bench.analyze.verdict import read_off

BACKENDS = ("jax", "torch", "tensorflow")


def alarms(simulations, runs, deviation, common):
    """Return how often a comparison of unchanged runs says that any of six arms regressed.

    Also by the intervals of the two runs alone. A share `common` of the variance between runs is
    that of all arms.
    """
    generator = np.random.default_rng(runs)
    said = plain = 0
    for _ in range(simulations):
        shared = generator.normal(0, deviation * math.sqrt(common), runs + 2)
        history, sides = [], ([], [])
        for workload in ("net", "other"):
            for backend in BACKENDS:
                own = generator.normal(0, deviation * math.sqrt(1 - common), runs + 2)
                arm = {"workload": workload, "backend": backend}
                history += rows_around(shared + own, generator, **arm)
                for side, place in zip(sides, (1, runs), strict=True):
                    seconds = processes_of(shared[place] + own[place], 7, generator)
                    side.append(measured_arm(backend, *seconds, workload=workload))
        before, after = (
            measured_run_of(*side, started_utc=started(place))
            for side, place in zip(sides, (1, runs), strict=True)
        )
        found = compare(before, after, history, 0.05).pairs
        assert {each.doubt for each in found} == {None}
        said += any(each.outcome == "regressed" for each in found)
        plain += any(read_off(each.ratio, 0.05) == "regressed" for each in found)
    return said, plain


@pytest.mark.parametrize("common", [0.0, 0.8])
def test_six_arms_together_alarm_as_rarely_as_promised(common, draws):
    simulations = draws(150)
    said, plain = alarms(simulations, 8, 0.03, common)
    assert at_most(said, simulations, 0.025)
    assert at_least(plain, simulations, 0.3)  # which is what all of this is for
