"""How often a load that comes or goes during a gate makes its verdict wrong."""

from dataclasses import replace

import numpy as np
import pytest
from bounds import at_most
from builders import FIRST_LOOK, LAST_LOOK, gate, side
from loads import with_load

from keras_bench.analyze.pairs import pairs

ROUNDS = LAST_LOOK

slows = pytest.mark.parametrize(
    "slowed", [("baseline", "candidate"), ("baseline",), ("candidate",)]
)
changes_after = pytest.mark.parametrize("before", [2, 4, 6, 9])


def under_changing_load(generator, first_load, before, slowed, true=0.0):
    """Return both sides of rounds whose load changes once, and slows those named by a fifth."""
    busy = np.where(np.arange(ROUNDS) < before, first_load, 1.0 - first_load)
    sides = []
    for label in ("baseline", "candidate"):
        own = true if label == "candidate" else 0.0
        logs = own + 0.18 * busy * (label in slowed) + generator.normal(0, 0.008, ROUNDS)
        seconds = (0.1 * np.exp(logs)).tolist()
        sides.append(with_load(side(label, *seconds), busy.tolist()))
    return sides


def judged(sides):
    """Return the judgement of all rounds, which is that of the first one that is final."""
    (pair,) = pairs(gate(*sides))
    return pair.judgement


def test_the_judgement_of_all_rounds_is_that_of_a_gate_that_ends_once_it_is_final():
    generator = np.random.default_rng(4)
    for first_load, before in ((0.0, 9), (1.0, 4)):
        sides = under_changing_load(generator, first_load, before, ("candidate",), 0.08)
        for rounds in range(FIRST_LOOK, ROUNDS + 1):
            so_far = judged([replace(each, samples=each.samples[:rounds]) for each in sides])
            if so_far.final:
                break
        assert judged(sides) == so_far


@slows
@changes_after
def test_a_load_that_comes_halfway_turns_no_verdict_wrong(before, slowed, draws):
    generator = np.random.default_rng(5)
    gates = draws(50)
    for true, wrong, rate in (
        (0.0, {"regressed", "improved"}, 2 * 0.025**2),
        (0.08, {"unchanged", "improved"}, 0.05),
    ):
        verdicts = [
            judged(under_changing_load(generator, 0.0, before, slowed, true)).verdict
            for _ in range(gates)
        ]
        assert at_most(sum(verdict in wrong for verdict in verdicts), gates, rate)


@slows
@changes_after
def test_a_load_that_ends_halfway_changes_nothing_into_a_change(before, slowed, draws):
    generator = np.random.default_rng(6)
    gates = draws(50)
    verdicts = [
        judged(under_changing_load(generator, 1.0, before, slowed)).verdict for _ in range(gates)
    ]
    changes = sum(verdict in {"regressed", "improved"} for verdict in verdicts)
    assert at_most(changes, gates, 2 * 0.025**2)
