import math

import numpy as np
import pytest

from keras_bench.parity.loops import (
    LoopVerdict,
    first_without_number,
    judge_loop,
    sentence_of_loop,
    worse,
)
from keras_bench.parity.places import EPOCH_END, EPOCH_METRIC, STEP, Place
from keras_bench.parity.training import Reference
from keras_bench.records import Parity

LOSS = Place(1, 0, EPOCH_METRIC, "loss")
WEIGHT = Place(3, 0, EPOCH_END, "dense/kernel")
SEED = Place(3, 0, EPOCH_END, "dropout/seed_generator_state")
SPREAD = 1e-6

BY_FIT = {
    LOSS: np.array(0.5, "float32"),
    WEIGHT: np.array([0.001, -1.0], "float32"),
    SEED: np.array([4_000_000_000, 39], "uint32"),
}


def judged(tolerance=0.0, spread=SPREAD, **changed):
    seen = {
        **BY_FIT,
        **{{"loss": LOSS, "weight": WEIGHT, "seed": SEED}[k]: changed[k] for k in changed},
    }
    seen = {place: each for place, each in seen.items() if each is not None}
    spreads = {place: np.array(spread) for place in BY_FIT}
    return judge_loop("jax", "fused", seen, Reference(BY_FIT, spreads), tolerance)


def test_the_same_agrees():
    assert judged().outcome == "agrees"
    assert sentence_of_loop(judged()) == "jax fused agrees with fit to rounding"


def test_what_rounding_moves_agrees_in_any_element_of_an_array():
    assert judged(weight=BY_FIT[WEIGHT] + np.float32(2 * SPREAD)).outcome == "agrees"
    # However little the replicas moved it, the last digits are rounding.
    nearly = np.nextafter(BY_FIT[LOSS], np.float32(1))
    assert judged(spread=0.0, loss=nearly).outcome == "agrees"


def test_the_one_furthest_beyond_rounding_is_named():
    found = judged(loss=np.array(0.50005, "float32"), weight=BY_FIT[WEIGHT] * np.float32(1.5))
    assert found.outcome == "differs"
    assert sentence_of_loop(found) == (
        "jax fused parts from fit: dense/kernel at the end of epoch 3 is off by 5.0e-01"
        " (rounding explains 8.0e-06), and so are 1 more"
    )


@pytest.mark.parametrize("count", [38, 40])
def test_whole_numbers_are_exact(count):
    found = judged(seed=np.array([4_000_000_000, count], "uint32"))
    assert found.outcome == "differs"
    assert "is off by 1.0e+00 (it is exact)" in sentence_of_loop(found)


@pytest.mark.parametrize(
    "changed",
    [
        {"loss": np.array(math.nan, "float32")},
        {"loss": np.array([0.5, 0.5], "float32")},
        {"weight": BY_FIT[WEIGHT].astype("float16")},
        {"loss": None},
    ],
    ids=["no number", "another shape", "another type", "a metric that is missing"],
)
def test_what_cannot_be_compared_differs(changed):
    found = judged(**changed)
    assert found.outcome == "differs"
    assert "beyond measure" in sentence_of_loop(found)


def test_a_metric_that_fit_does_not_have_differs():
    seen = {**BY_FIT, Place(1, 0, EPOCH_METRIC, "accuracy"): np.array(1.0, "float32")}
    spreads = {place: np.array(SPREAD) for place in BY_FIT}
    assert judge_loop("jax", "fused", seen, Reference(BY_FIT, spreads)).outcome == "differs"


def test_variables_that_a_loop_does_not_keep_are_not_compared():
    found = judged(seed=None)
    assert found.outcome == "agrees"
    assert SEED not in {each.place for each in found.deviations}


def test_a_tolerance_lets_a_small_deviation_pass():
    off = {"loss": np.array(0.5005, "float32")}
    assert judged(**off).outcome == "differs"
    assert judged(tolerance=0.01, **off).outcome == "agrees"


def test_the_worse_of_two_parities_is_an_arms():
    worst_first = [
        Parity(outcome, outcome) for outcome in ("differs", "unchecked", "explained", "agrees")
    ]
    for place, bad in enumerate(worst_first):
        for better in worst_first[place:]:
            assert worse(bad, better).outcome == worse(better, bad).outcome == bad.outcome


def test_of_two_that_agree_the_loop_is_told():
    of_loop = Parity("agrees", "jax fused agrees with fit to rounding")
    assert worse(Parity("agrees", "jax agrees to rounding"), of_loop) == of_loop


def test_a_loss_without_a_number_is_found():
    spreads = {place: np.array(0.0) for place in BY_FIT}
    assert first_without_number(Reference(BY_FIT, spreads)) is None
    diverged = {**BY_FIT, LOSS: np.array(math.inf, "float32")}
    assert first_without_number(Reference(diverged, spreads)) == LOSS
    leapt = spreads | {LOSS: np.array(math.nan)}
    assert first_without_number(Reference(BY_FIT, leapt)) == LOSS


def in_steps(spread: float, **changed: np.ndarray) -> LoopVerdict:
    """Judge a loop whose epochs rounding hides, and which moves a step by so much."""
    step = {
        Place(1, 1, EPOCH_METRIC, "loss"): np.array(0.5, "float32"),
        Place(1, 1, STEP, "dense/kernel"): np.array([0.001, -1.0], "float32"),
    }
    by_fit = Reference(
        {**BY_FIT, **step},
        {**dict.fromkeys(BY_FIT, np.array(1.0)), **dict.fromkeys(step, np.array(spread))},
    )
    seen = {
        **BY_FIT,
        **step,
        **{place: changed[place.subject] for place in step if place.subject in changed},
    }
    return judge_loop("jax", "fused", {p: a for p, a in seen.items() if a is not None}, by_fit)


def test_where_rounding_hides_the_epochs_steps_are_compared_and_told():
    assert in_steps(SPREAD).outcome == "agrees"
    assert sentence_of_loop(in_steps(SPREAD)) == (
        "jax fused agrees with fit to rounding, compared over the first step, each from the state"
        " that fit comes to: beyond one step, rounding grows to a hundredth"
    )
    found = in_steps(SPREAD, loss=np.array(0.5001, "float32"))
    assert found.outcome == "differs"
    assert "loss in epoch 1, step 1 is off by 2.0e-04" in sentence_of_loop(found)
    assert in_steps(SPREAD, loss=None).outcome == "differs"


def test_where_rounding_hides_each_step_a_loop_is_unchecked_unless_it_is_off_all_the_same():
    assert in_steps(1.0).outcome == "unchecked"
    assert in_steps(1.0, loss=np.array(99.0, "float32")).outcome == "differs"


def test_steps_that_a_loop_did_not_take_are_not_missed():
    step = Place(1, 2, EPOCH_METRIC, "loss")
    arrays = {**BY_FIT, step: np.array(0.5, "float32")}
    spreads = {place: np.array(SPREAD) for place in arrays}
    assert judge_loop("jax", "bare", BY_FIT, Reference(arrays, spreads)).outcome == "agrees"
