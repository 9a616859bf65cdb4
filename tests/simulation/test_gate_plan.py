"""How gates end that are driven by drawn samples, and who comes first in them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from bounds import between
from builders import sample
from orders import orders_of_a_gate, unmeasured_gate

from keras_bench.analyze.gate_plan import next_round
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.plan import Stop
from keras_bench.analyze.sequential import LOOKS
from keras_bench.records import GateSettings

#: What a round of `sample(0.1)` costs: 4 s before its first epoch, 1.1 s for that, and 9 × 0.1 s.
ROUND_SECONDS = 6.0


def test_chance_decides_who_comes_first_of_two_rounds(draws):
    twos = draws(4000)
    first = [order[0] for order in orders_of_a_gate(2 * twos)[::2]]
    assert between(first.count("baseline"), twos, 0.5, 0.5)
    changes = [before != after for before, after in pairwise(first)]
    assert between(sum(changes), len(changes), 0.5, 0.5)


def measured_to_the_end(true, deviation, seed, budget_seconds=1e6):
    """Drive `next_round` with drawn samples of one workload; return the gate."""
    generator = np.random.default_rng(seed)
    done = unmeasured_gate("net", settings=GateSettings(budget_seconds=budget_seconds, seed=seed))
    elapsed = 0.0
    while not isinstance(plan := next_round(done, elapsed), Stop):
        weather = generator.normal(-2, 0.1)
        results = []
        for known in done.results:
            log = weather + generator.normal(0, deviation)
            log += true * (known.arm.environment.label == "candidate")
            new = sample(float(np.exp(log)), round=done.rounds + 1)
            results.append(replace(known, samples=(*known.samples, new)))
        assert len(plan) == 1
        elapsed += max(each.samples[-1].process_seconds for each in results)
        done = replace(done, results=tuple(results), rounds=done.rounds + 1)
    return replace(done, stopped=plan.reason, elapsed_seconds=elapsed)


@pytest.mark.parametrize(("true", "verdict"), [(0.0, "unchanged"), (0.1, "regressed")])
def test_a_whole_gate_ends_as_soon_as_it_is_decided(true, verdict, draws):
    for seed in range(draws(30)):
        done = measured_to_the_end(true, 0.01, seed)
        (pair,) = pairs(done)
        assert (done.stopped, pair.judgement.verdict) == ("decided", verdict)
        shorter = [replace(each, samples=each.samples[:-1]) for each in done.results]
        (before,) = pairs(replace(done, results=tuple(shorter)))
        assert not before.judgement.final


def test_a_whole_gate_without_enough_budget_ends_undecided_and_within_it(draws):
    for seed in range(draws(30)):
        done = measured_to_the_end(0.0, 0.1, seed, budget_seconds=60.0)
        (pair,) = pairs(done)
        assert (done.stopped, pair.judgement.verdict) == ("budget", "undecided")
        assert not pair.judgement.final
        assert done.rounds in LOOKS
        assert 60.0 - 2 * ROUND_SECONDS < done.elapsed_seconds < 60.0 + 0.1 * ROUND_SECONDS
