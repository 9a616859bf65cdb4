import numpy as np
import pytest

from keras_bench.parity.predictions import Prediction, judge_predictions

TRUTH = np.array([[0.25, 0.75], [0.5, 0.5]], "float32")
SPREAD = 1e-7


def prediction(off=0.0, spread=SPREAD, **changes):
    outputs = (TRUTH + np.array([[0.0, off], [0.0, 0.0]]),)
    return Prediction(**{"outputs": outputs, "spreads": (spread,)} | changes)


def outcomes(**predictions):
    return {name: each.outcome for name, each in judge_predictions(predictions).items()}


def test_what_rounding_explains_agrees():
    assert outcomes(jax=prediction(), torch=prediction(2 * SPREAD), numpy=prediction()) == {
        "jax": "agrees",
        "torch": "agrees",
        "numpy": "agrees",
    }


def test_the_one_that_is_off_is_named_and_by_how_much():
    found = judge_predictions(
        {"jax": prediction(), "torch": prediction(0.003), "numpy": prediction()}
    )
    assert {name: each.outcome for name, each in found.items()} == {
        "jax": "agrees",
        "torch": "differs",
        "numpy": "agrees",
    }
    assert found["torch"].summary.startswith("torch predicts something else: off by 4.0e-03")


def test_of_two_that_differ_either_may_be_off():
    found = judge_predictions({"jax": prediction(), "torch": prediction(0.003)})
    for each in found.values():
        assert each.outcome == "differs"
        assert "any may be the one that is off" in each.summary


@pytest.mark.parametrize(("off", "outcome"), [(0.003, "explained"), (0.3, "differs")])
def test_less_precision_explains_what_its_own_rounding_does_and_no_more(off, outcome):
    rough = prediction(off, spread=0.002, precision="bfloat16")
    found = judge_predictions({"openvino": rough, "jax": prediction()})
    assert (found["openvino"].outcome, found["jax"].outcome) == (outcome, "agrees")


def test_a_wide_spread_of_ones_own_is_no_excuse_in_float32():
    wide = prediction(0.003, spread=0.002)
    assert outcomes(jax=prediction(), numpy=prediction(), torch=wide)["torch"] == "differs"


def test_what_is_no_number_never_agrees():
    odd = prediction(np.nan)
    found = outcomes(jax=prediction(), numpy=prediction(), torch=odd)
    assert found["torch"] == "differs"


@pytest.mark.parametrize("order", [("odd", "jax", "numpy"), ("jax", "odd", "numpy")])
def test_outputs_of_another_shape_than_most_differ(order):
    known = {"odd": Prediction((TRUTH[:1],), (SPREAD,)), "jax": prediction(), "numpy": prediction()}
    found = outcomes(**{name: known[name] for name in order})
    assert found == {"odd": "differs", "jax": "agrees", "numpy": "agrees"}


def test_a_loose_output_hides_no_other_that_is_off():
    def two(off: float) -> Prediction:
        return Prediction((TRUTH, TRUTH + np.float64(off)), (1e-3, 1e-9))

    assert outcomes(jax=two(0.0), numpy=two(0.0), torch=two(1e-4))["torch"] == "differs"


def test_two_are_compared_with_each_other():
    found = judge_predictions({"jax": prediction(), "torch": prediction(0.003)})
    assert {each.summary.partition(", and")[0] for each in found.values()} == {
        "jax predicts something else: off by 4.0e-03",
        "torch predicts something else: off by 4.0e-03",
    }


def test_alone_there_is_nothing_to_compare_with():
    (found,) = judge_predictions({"jax": prediction()}).values()
    assert found.outcome == "unchecked"
    assert "no other backend" in found.summary


def test_of_none_there_is_nothing_to_say():
    assert judge_predictions({}) == {}
