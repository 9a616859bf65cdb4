import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from parity_builders import (
    KERNEL,
    LAST_BIAS,
    SQUARED,
    ZEROS,
    adam,
    blueprint,
    dense,
    pretended,
    sgd,
    training,
)

from keras_bench.parity.blueprint import Weight
from keras_bench.parity.causes import Cause
from keras_bench.parity.departures import together
from keras_bench.parity.deviations import SAFETY, Deviation, deviations
from keras_bench.parity.network import covered
from keras_bench.parity.own_rounding import OwnRounding
from keras_bench.parity.places import (
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    LOSS,
    RUNNING_LOSS,
    STAGES,
    STEP,
    UPDATE,
    Place,
)
from keras_bench.parity.training import by_departure, by_textbook
from keras_bench.parity.verdict import (
    BackendVerdict,
    describe,
    judge,
    reference_losses,
    sentence,
    settle,
    shapes_differ,
    when,
)

INSIDE = "Adam's epsilon stands inside the root"
PRODUCTS = "its matrix products are computed in float32"
CONSTANTS = "all of the optimizer's constants are rounded to float32"


@cache
def known(dtype):
    described = blueprint(optimizer=adam())
    planned = training(described, dtype=dtype)
    network = covered(described)
    return network, planned, by_textbook(network, planned)


def verdict_on(seen, dtype="float32", described=None, covers=True, tolerance=0.0):
    network, planned, reference = known(dtype)
    distances = deviations(seen, reference, planned.dtype, tolerance)
    return judge(
        "torch", seen, distances, OwnRounding(), described or planned.blueprint, planned, reference,
        network if covers else None, tolerance,
    )  # fmt: skip


def backend(dtype="float32"):
    return pretended(known(dtype)[2])


def departing(reasons, dtype="float64"):
    network, planned, reference = known(dtype)
    return pretended(by_departure(network, planned, reference, together(reasons), freely=True))


def put_off(seen, stages, share=1e-3, subjects=None):
    for place in seen:
        if place.stage in stages and (subjects is None or place.subject in subjects):
            seen[place] = seen[place] * (1 + share)
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("covers", [True, False])
def test_a_backend_that_does_the_same_agrees(dtype, covers):
    verdict = verdict_on(backend(dtype), dtype, covers=covers)
    assert (verdict.outcome, verdict.causes) == ("agrees", ())
    assert sentence(verdict) == "torch agrees to rounding"


def test_a_backend_that_rounds_agrees():
    seen = backend()
    random = np.random.default_rng(0)
    for place, spread in known("float32")[2].spread.items():
        seen[place] = seen[place] + spread * random.uniform(-SAFETY, SAFETY, seen[place].shape)
    assert verdict_on(seen).outcome == "agrees"


def test_a_verdict_holds_the_worst_of_each_stage_and_the_backends_losses():
    seen = put_off(backend(), {GRADIENT}, 1e-3, {KERNEL})
    verdict = verdict_on(seen)
    worst = {each.stage: each.deviation for each in verdict.worst}
    assert list(worst) == list(STAGES)
    assert worst[GRADIENT].place.subject == KERNEL
    assert worst[GRADIENT].deviation == pytest.approx(1e-3)
    assert worst[FORWARD].deviation == 0.0
    losses = dict(verdict.losses)
    assert losses[Place(2, 0, EPOCH_LOSS)] == float(seen[Place(2, 0, EPOCH_LOSS)])
    assert {place.stage for place in losses} == {RUNNING_LOSS, EPOCH_LOSS}


@pytest.mark.parametrize("reason", [INSIDE, PRODUCTS, CONSTANTS])
def test_a_backend_that_departs_for_a_known_reason_is_explained_by_it(reason):
    verdict = verdict_on(departing([reason]), "float64")
    assert verdict.outcome == "explained"
    assert {cause.reason for cause in verdict.causes} == {reason}
    text = sentence(verdict)
    assert text.startswith("torch differs for known reasons, which reproduce it to rounding:")
    assert text.count(reason) == 1
    assert "in epoch 1, step 1" in text


def test_epsilon_inside_the_root_is_told_in_float32_as_well():
    verdict = verdict_on(departing([INSIDE], "float32"))
    assert verdict.outcome == "explained"
    assert {cause.reason for cause in verdict.causes} == {INSIDE}


def test_two_known_reasons_explain_a_backend_together():
    verdict = verdict_on(departing([INSIDE, PRODUCTS]), "float64")
    assert verdict.outcome == "explained"
    assert {cause.reason for cause in verdict.causes} == {INSIDE, PRODUCTS}


def test_a_backend_that_is_off_without_a_known_reason_differs():
    verdict = verdict_on(put_off(backend(), {FORWARD}, 1e-4, {"dense"}))
    assert verdict.outcome == "differs"
    (cause,) = verdict.causes
    assert (cause.what, cause.reason) == ("the output of layer dense", "")
    assert re.fullmatch(
        r"torch parts from the reference in epoch 1, step 1: the output of layer dense"
        r" \(off by \d\.\de-0[45], rounding explains \d\.\de-0[67]\)",
        sentence(verdict),
    )


def test_a_known_reason_beside_an_unknown_one_leaves_a_backend_different():
    seen = put_off(departing([INSIDE]), {FORWARD}, 1e-3, {"dense"})
    verdict = verdict_on(seen, "float64")
    assert verdict.outcome == "differs"
    assert [cause.reason for cause in verdict.causes] == ["", INSIDE]
    assert sentence(verdict).endswith(" (and in 1 further respect)")


def test_a_known_reason_that_leaves_the_training_unexplained_does_not_explain_it():
    seen = put_off(departing([INSIDE]), {EPOCH_END}, 0.01, {KERNEL})
    verdict = verdict_on(seen, "float64")
    assert verdict.outcome == "differs"
    assert INSIDE in {cause.reason for cause in verdict.causes}


def test_more_than_a_known_reason_gives_is_not_explained_by_it():
    seen, reference = departing([INSIDE]), known("float64")[2].arrays
    for place in seen:
        if place.stage in (UPDATE, STEP):
            seen[place] = seen[place] + 2 * (seen[place] - reference[place])
    assert verdict_on(seen, "float64").outcome == "differs"


def test_a_fault_far_smaller_than_float32_rounds_is_not_laid_to_products_in_float32():
    # Such products would give a deviation of 1e-7, of which this is no likely draw.
    verdict = verdict_on(put_off(backend("float64"), {FORWARD}, 1e-12, {"dense"}), "float64")
    assert verdict.outcome == "differs"
    assert [cause.reason for cause in verdict.causes] == [""]


def test_without_a_reference_of_the_networks_own_no_reason_is_looked_for():
    verdict = verdict_on(departing([INSIDE]), "float64", covers=False)
    assert verdict.outcome == "differs"
    assert {cause.reason for cause in verdict.causes} == {""}


def test_a_tolerance_lets_a_backend_pass():
    seen = put_off(backend(), {FORWARD, LOSS}, 1e-3)
    assert verdict_on(seen).outcome == "differs"
    assert verdict_on(seen, tolerance=2e-3).outcome == "agrees"
    assert verdict_on(seen, tolerance=5e-4).outcome == "differs"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_on_one_side_only_is_named_as_that(value):
    seen = backend()
    seen[Place(1, 2, FORWARD, "dense_1")] = np.full((5, 2), value)
    verdict = verdict_on(seen)
    assert verdict.outcome == "differs"
    named = "in epoch 1, step 2: the output of layer dense_1 (a number on one side only)"
    assert named in sentence(verdict)


def test_other_data_are_told_first_and_explain_nothing():
    usual = known("float64")[1].blueprint
    x, y = (replace(each, sha256="another") for each in usual.data)
    described = replace(usual, data=(x, y))
    verdict = verdict_on(departing([INSIDE]), "float64", described)
    first, *others = verdict.causes
    assert verdict.outcome == "differs"
    assert first.what == "data() gives it another x and another y"
    assert first.first is None
    assert not [cause for cause in others if cause.reason]
    assert "before the training: data() gives it another x and another y" in sentence(verdict)
    only_y = replace(described, data=(usual.data[0], y))
    assert verdict_on(backend(), described=only_y).causes[0].what == "data() gives it another y"


def test_a_cause_is_told_with_the_settings_that_differ_there():
    common = known("float32")[1].blueprint
    built = replace(
        common,
        optimizer=adam(epsilon=1e-5),
        layers=(dense(0, 5, "linear"), *common.layers[1:]),
        losses=(SQUARED,),
    )
    seen = put_off(backend(), {UPDATE}, subjects={KERNEL})
    (cause,) = verdict_on(seen, described=built).causes
    assert cause.reason == "it is built with epsilon=1e-05 instead of 1e-07"
    seen = put_off(backend(), {FORWARD}, subjects={"dense"})
    (cause,) = verdict_on(seen, described=built).causes
    assert cause.reason == "it is built with activation=linear instead of relu"
    seen = put_off(backend(), {LOSS})
    (cause,) = verdict_on(seen, described=built).causes
    assert "built with keras.mean_squared_error instead of keras.sparse_cat" in cause.reason
    seen = put_off(backend(), {FORWARD}, subjects={"dense_1"})
    (cause,) = verdict_on(seen, described=built).causes
    assert cause.reason == ""


def test_the_references_losses_are_told_with_what_rounding_explains():
    reference = known("float32")[2]
    losses = {
        place: (value, bound) for place, value, bound in reference_losses(reference, "float32")
    }
    assert {place.stage for place in losses} == {RUNNING_LOSS, EPOCH_LOSS}
    place = Place(2, 0, EPOCH_LOSS)
    value, bound = losses[place]
    assert value == float(reference.arrays[place])
    assert bound == pytest.approx(SAFETY * float(reference.spread[place]) / value)


def test_the_reference_is_made_of_the_blueprint_that_most_backends_share():
    usual = blueprint()
    odd = replace(usual, optimizer=sgd(0.5))
    for changed in (
        odd,
        replace(usual, data=(replace(usual.data[0], sha256="another"), usual.data[1])),
        replace(usual, data=(usual.data[0], replace(usual.data[1], sha256="another"))),
        replace(usual, losses=(SQUARED,)),
        replace(usual, layers=(dense(0, 5, "sigmoid"), usual.layers[1])),
        replace(usual, weights=(*usual.weights[:-1], Weight(LAST_BIAS, (9,), True, ZEROS))),
    ):
        assert settle({"tensorflow": changed, "jax": usual, "torch": usual}) == "jax"
        assert settle({"tensorflow": usual, "jax": changed, "torch": usual}) == "tensorflow"
        assert settle({"tensorflow": changed, "jax": changed, "torch": usual}) == "tensorflow"
    assert settle({"torch": odd}) == "torch"
    # Where each lies is no difference.
    elsewhere = replace(usual, arrays_file="elsewhere.npz")
    assert settle({"tensorflow": odd, "jax": usual, "torch": elsewhere}) == "jax"


def test_models_that_can_start_from_the_same_weights_have_no_difference_in_shape():
    assert shapes_differ(blueprint(), blueprint(activations=("sigmoid", "softmax"))) == ""
    assert shapes_differ(blueprint(optimizer=sgd(0.1)), blueprint(optimizer=sgd(0.2))) == ""


def test_models_of_other_shapes_are_told_by_their_weights():
    wider = shapes_differ(blueprint((3, 6, 2)), blueprint())
    assert wider == "its model has dense/kernel (3, 6), dense/bias (6,), dense_1/kernel (6, 2)"
    lacking = shapes_differ(blueprint(use_bias=False), blueprint())
    assert lacking == "its model lacks dense/bias, dense_1/bias"
    more = shapes_differ(blueprint(), blueprint(use_bias=False))
    assert more == "its model has dense/bias (5,), dense_1/bias (2,)"
    both = shapes_differ(blueprint((3, 6, 2), use_bias=False), blueprint())
    assert "has dense/kernel (3, 6)" in both
    assert " and lacks dense/bias, dense_1/bias" in both


def test_another_optimizer_is_a_difference_of_its_own():
    assert shapes_differ(blueprint(), blueprint(optimizer=adam())) == (
        "its model has another optimizer"
    )


def cause(place, deviation=0.5, bound=1e-6, reason=""):
    return Cause("the output of layer dense", (Deviation(place, deviation, bound),), reason)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(0, 0, INITIAL_WEIGHTS, KERNEL), "before the training"),
        (Place(3, 0, EPOCH_END, KERNEL), "at the end of epoch 3"),
        (Place(2, 31, FORWARD, "dense"), "in epoch 2, step 31"),
    ],
)
def test_when_a_place_is_in_a_training_is_told(place, text):
    assert when(place) == text
    assert describe(cause(place)).startswith(f"{text}: the output of layer dense (off by 5.0e-01")


def test_a_cause_is_described_with_its_size_its_bound_and_its_reason():
    place = Place(1, 2, FORWARD, "dense")
    assert describe(cause(place, reason="it is so")) == (
        "in epoch 1, step 2: the output of layer dense (off by 5.0e-01, rounding explains 1.0e-06)"
        ": it is so"
    )
    assert "(of another shape)" in describe(cause(place, np.inf, 0.0))
    assert "(a number on one side only)" in describe(cause(place, np.inf, 1e-6))
    assert describe(Cause("its model has w", ())) == "before the training: its model has w"


def test_the_sentence_names_the_backend_the_time_the_layer_and_how_many_causes_there_are():
    first = cause(Place(1, 2, FORWARD, "dense"))
    one = BackendVerdict("jax", "differs", (first,))
    text = "jax parts from the reference in epoch 1, step 2: the output of layer dense (off by"
    assert sentence(one).startswith(text)
    assert "further" not in sentence(one)
    assert sentence(replace(one, causes=(first,) * 2)).endswith("(and in 1 further respect)")
    assert sentence(replace(one, causes=(first,) * 3)).endswith("(and in 2 further respects)")
    assert sentence(one, alone=False).endswith(
        "; most backends don't agree, so any may be the one that is off"
    )


def test_the_sentence_on_a_backend_that_could_not_be_checked_says_why():
    verdict = BackendVerdict("jax", "unchecked", failure="the worker was killed", exit_code=5)
    assert sentence(verdict) == "jax is unchecked: the worker was killed"
