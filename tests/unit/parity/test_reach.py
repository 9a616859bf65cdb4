import numpy as np
import pytest

from keras_bench.parity.places import EPOCH_END, EPOCH_METRIC, SPREAD, STEP, Place
from keras_bench.parity.reach import COARSE, Reach, reach_of, read_reference
from keras_bench.parity.training import Reference

#: What moves a loss or a weight of 1 so that rounding explains a fifth of what is coarse, or twice.
FINE, WILD = COARSE / 40, COARSE / 4


def by_fit(*places: tuple[Place, object, float]) -> Reference:
    return Reference(
        {place: np.asarray(value) for place, value, _ in places},
        {place: np.asarray(moved) for place, _, moved in places},
    )


def loss(epoch: int, moved: float, step: int = 0, value: float = 1.0):
    return Place(epoch, step, EPOCH_METRIC), np.array(value, "float32"), moved


def weight(epoch: int, moved: float, step: int = 0, size: int = 4, name: str = "dense/kernel"):
    stage = STEP if step else EPOCH_END
    return Place(epoch, step, stage, name), np.ones(size, "float32"), moved


def test_a_calm_training_is_compared_whole():
    reach = reach_of(by_fit(loss(1, FINE), weight(1, FINE), loss(2, FINE), weight(2, FINE)))
    assert reach == Reach(2, 2)
    assert reach.in_words == ""


@pytest.mark.parametrize(
    "second", [(loss(2, WILD), weight(2, FINE)), (loss(2, FINE), weight(2, WILD))]
)
def test_it_ends_where_the_loss_or_the_weights_are_coarse(second):
    reach = reach_of(by_fit(loss(1, FINE), weight(1, FINE), *second, loss(3, FINE)))
    assert reach == Reach(1, 3)
    assert reach.in_words == (
        "compared over the first epoch of 3: beyond, rounding has grown to a hundredth"
    )


def test_weights_are_coarse_where_most_of_their_numbers_are():
    bias = weight(1, WILD, size=3, name="dense/bias")
    assert reach_of(by_fit(loss(1, FINE), weight(1, FINE), bias)).epochs == 1
    most = weight(1, WILD, size=5, name="dense/bias")
    assert reach_of(by_fit(loss(1, FINE), weight(1, FINE), most)).epochs == 0


@pytest.mark.parametrize(
    "calm",
    [
        weight(1, 0.0, size=90, name="optimizer/momentum"),
        (Place(1, 0, EPOCH_END, "seed"), np.ones(90, "uint32"), 0.0),
    ],
    ids=["the optimizer's", "a seed"],
)
def test_what_is_no_weight_makes_none_comparable(calm):
    assert reach_of(by_fit(loss(1, FINE), weight(1, WILD), calm)).epochs == 0


def test_a_loss_that_comes_to_zero_is_measured_by_the_first_one():
    assert reach_of(by_fit(loss(1, FINE), loss(2, FINE, value=1e-6))).epochs == 2


def test_an_array_of_zeros_that_rounding_moves_is_coarse():
    zeros = Place(1, 0, EPOCH_END, "dense/kernel"), np.zeros(4, "float32")
    assert reach_of(by_fit(loss(1, FINE), (*zeros, FINE))).epochs == 0
    assert reach_of(by_fit(loss(1, FINE), (*zeros, 0.0))).epochs == 1


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ((FINE, FINE, FINE), "compared over the first 3 steps, each from"),
        ((FINE, WILD, FINE), "compared over 2 of the first 3 steps, each from"),
        ((FINE,), "compared over the first step, each from"),
    ],
)
def test_where_no_epoch_can_be_compared_steps_are(moved, said):
    steps = [weight(1, each, step=step) for step, each in enumerate(moved, start=1)]
    reach = reach_of(by_fit(loss(1, WILD), *steps))
    assert (reach.epochs, reach.steps) == (0, sum(each == FINE for each in moved))
    assert reach.in_words.startswith(said)
    assert not reach.is_nothing


def test_where_not_even_a_step_can_be_compared_nothing_is():
    reach = reach_of(by_fit(loss(1, WILD), loss(1, FINE, step=1), weight(1, WILD, step=1)))
    assert reach.is_nothing
    assert reach.in_words == ""


def test_a_reference_is_read_from_what_a_worker_wrote():
    place = Place(1, 0, EPOCH_METRIC)
    value, moved = np.array(0.5), np.array(1e-6)
    assert read_reference({place.key: value, SPREAD + place.key: moved}) == Reference(
        {place: value}, {place: moved}
    )
