import numpy as np
import pytest
from parity_builders import KERNEL, adam, blueprint, loss, sgd, training

from keras_bench.parity.arithmetic import RandomRounding
from keras_bench.parity.departures import (
    CLIP,
    DEPARTURES,
    ClippedProbability,
    EpsilonInsideRoot,
    SinglePrecisionCasts,
    SinglePrecisionConstants,
    SinglePrecisionMeans,
    SinglePrecisionProducts,
    together,
)
from keras_bench.parity.deviations import deviations
from keras_bench.parity.network import covered
from keras_bench.parity.places import (
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LOSS,
    LOSS_GRADIENT,
    RUNNING_LOSS,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.training import by_departure, by_textbook

SINGLE = UNIT_ROUNDOFF["float32"]
#: What follows from the other stages, beside an update, which is fed by given gradients.
FOLLOWS = {STEP, EPOCH_END, RUNNING_LOSS, EPOCH_LOSS}
BATCH = 3


def off_by(arithmetic, optimizer=None, dtype="float64", sharp=False):
    """Return where a backend is off that departs, and how it is off from the reference so."""
    described = blueprint(
        optimizer=optimizer or adam(),
        activations=("relu", "sigmoid"),
        losses=(loss("BinaryCrossentropy"),),
        batch_size=BATCH,
    )
    planned = training(described, dtype=dtype)
    if sharp:
        # Logits large enough for a probability beyond 1e-7 of nothing, but not of everything.
        planned.initial["dense_1/bias"][:] = (-20.0, -17.0)
    network = covered(described)
    reference = by_textbook(network, planned)
    departed = by_departure(network, planned, reference, arithmetic, freely=True)
    found = deviations(departed.arrays, reference, dtype)
    return {each.place.stage for each in found if each.is_off}, found, departed


def test_a_plain_backend_departs_nowhere():
    stages, found, _ = off_by(RandomRounding)
    assert stages == set()
    assert len(found) > 50


@pytest.mark.parametrize(
    ("arithmetic", "optimizer", "stages"),
    [
        (SinglePrecisionConstants, adam(), {UPDATE} | FOLLOWS),
        (SinglePrecisionConstants, sgd(), {UPDATE} | FOLLOWS),
        (SinglePrecisionCasts, adam(), {UPDATE} | FOLLOWS),
        (SinglePrecisionCasts, sgd(momentum=0.9), {UPDATE} | FOLLOWS),
        (SinglePrecisionCasts, sgd(), set()),
        (EpsilonInsideRoot, adam(), {UPDATE} | FOLLOWS),
        (EpsilonInsideRoot, sgd(momentum=0.9), set()),
        (
            SinglePrecisionMeans,
            adam(),
            {LOSS, LOSS_GRADIENT, GRADIENT} | FOLLOWS,
        ),
        (
            SinglePrecisionProducts,
            adam(),
            {FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT, GRADIENT} | FOLLOWS,
        ),
    ],
)
def test_a_departure_changes_what_it_should_and_only_that(arithmetic, optimizer, stages):
    assert off_by(arithmetic, optimizer)[0] == stages


def test_casts_change_no_slot_of_adam_but_its_rate():
    _, found, _ = off_by(SinglePrecisionCasts)
    off = {each.place.subject for each in found if each.is_off and each.place.stage == UPDATE}
    assert KERNEL in off
    assert not [subject for subject in off if "optimizer/" in subject]


def test_clipping_changes_the_loss_only_where_a_probability_is_extreme():
    assert off_by(ClippedProbability)[0] == set()
    stages, _, departed = off_by(ClippedProbability, sharp=True)
    assert {LOSS, LOSS_GRADIENT} <= stages
    assert not stages & {FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT}
    assert departed.arrays[Place(1, 1, LOSS)].item() < -np.log(CLIP)


def test_a_clipped_probability_has_no_slope_and_any_other_keeps_its_own():
    values = np.array([0.0, CLIP / 2, CLIP * 2, 0.5, 1 - CLIP / 2, 1.0])
    clipped, slope = ClippedProbability(0.0, 1).probability(values)
    assert clipped.tolist() == [CLIP, CLIP, CLIP * 2, 0.5, 1 - CLIP, 1 - CLIP]
    assert slope.tolist() == [0, 0, 1, 1, 0, 0]


def test_epsilon_inside_the_root_is_added_before_it():
    velocity = np.array([[[0.0, 5.0]]])
    denominator = EpsilonInsideRoot(0.0, 1).adam_denominator(velocity, 4.0)
    assert denominator.tolist() == [[[2.0, 3.0]]]


def test_products_in_single_precision_have_the_float32_product_as_their_centre():
    random = np.random.default_rng(0)
    left, right = random.normal(size=(1, 7, 30)), random.normal(size=(1, 30, 4))
    product = SinglePrecisionProducts(0.0, 1).dot(left, right)
    single = left.astype("float32") @ right.astype("float32")
    assert product.dtype == np.float64
    assert np.array_equal(product, single.astype("float64"))
    assert not np.allclose(product, left @ right, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_in_single_precision_spread_as_float32_does_in_any_precision(dtype):
    random = np.random.default_rng(0)
    left = np.broadcast_to(random.normal(size=(7, 30)), (40, 7, 30))
    right = np.broadcast_to(random.normal(size=(30, 4)), (40, 30, 4))
    several = SinglePrecisionProducts(UNIT_ROUNDOFF[dtype], 40).dot(left, right)
    errors = np.abs(several - SinglePrecisionProducts(0.0, 40).dot(left, right))
    bound = np.sqrt(30) * SINGLE * (np.abs(left) @ np.abs(right))
    assert (errors <= bound * (1 + 1e-6)).all()
    assert (errors / bound).max() > 0.9


def test_constants_and_casts_in_single_precision_are_those_of_float32():
    third = 1 / 3
    single = float(np.float32(third))
    assert single != third
    assert SinglePrecisionConstants(0.0, 1).constant(third).item() == single
    assert SinglePrecisionConstants(0.0, 1).cast(third).item() == single
    assert SinglePrecisionCasts(0.0, 1).constant(third).item() == third
    assert SinglePrecisionCasts(0.0, 1).cast(third).item() == single


def test_means_in_single_precision_are_those_of_float32():
    arithmetic = SinglePrecisionMeans(0.0, 1)
    total = np.array([[[1.1]]])
    assert arithmetic.quotient(total, 3).item() == float(np.float32(1.1) / np.float32(3))
    assert arithmetic.share(3) == float(np.float32(1) / np.float32(3))
    assert arithmetic.share(4) == 0.25


def test_departures_go_together():
    reasons = [reason for reason in DEPARTURES if "epsilon" in reason or "products" in reason]
    both = together(reasons)(0.0, 1)
    alone = EpsilonInsideRoot(0.0, 1), SinglePrecisionProducts(0.0, 1)
    velocity, left = np.array([[[5.0]]]), np.full((1, 1, 3), 1 / 3)
    right = np.swapaxes(left, 1, 2)
    assert both.adam_denominator(velocity, 4.0).item() == 3.0
    assert both.dot(left, right) == alone[1].dot(left, right) != alone[0].dot(left, right)
    assert both.constant(1 / 3).item() == 1 / 3


def test_constants_and_casts_together_are_both_in_single_precision():
    both = together(reason for reason in DEPARTURES if "optimizer's" in reason)(0.0, 1)
    assert isinstance(both, SinglePrecisionCasts)
    assert isinstance(both, SinglePrecisionConstants)
    single = float(np.float32(1 / 3))
    assert both.constant(1 / 3).item() == both.cast(1 / 3).item() == single


def test_all_departures_can_be_taken_at_once():
    every = together(DEPARTURES)
    assert all(issubclass(every, each) for each in DEPARTURES.values())
    stages, _, _ = off_by(every)
    assert {FORWARD, LOSS, GRADIENT, UPDATE, STEP} <= stages
