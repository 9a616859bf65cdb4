"""What a closer look says of a backend's own rounding, from arrays that a test makes."""

import numpy as np
import pytest

from keras_bench.parity.deviations import SAFETY, Deviation, deviation_at
from keras_bench.parity.own_rounding import (
    CANCELLED,
    CONFIRMED,
    LEAP,
    MOST_MOVED,
    ONE_LESS_BETA,
    ORDER_FACTOR,
    REST,
    depend_on_order,
    digits_lost,
    moved_by_orders,
    with_constants,
    with_followers,
    with_orders,
    with_single_precision,
    with_sums,
    without_leaps,
)
from keras_bench.parity.places import (
    EPOCH_END,
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOSS,
    SPREAD,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
    call_of,
)
from keras_bench.parity.training import Reference

BATCH = 4
BIAS = Place(1, 1, WEIGHT_GRADIENT, "conv/bias")
POOL = Place(1, 1, FORWARD, "pool")
POOL_INPUT = Place(1, 1, LAYER_INPUT, "pool")


def reference(place: Place, value=(1.0, 2.0), spread=1e-7) -> Reference:
    # 10,000 numbers an example go into the layer.
    arrays = {place: np.array(value), POOL_INPUT: np.zeros((BATCH, 100, 100))}
    return Reference(arrays, {place: np.full(len(value), spread)})


def is_off(place: Place, off_by: float, known: Reference) -> bool:
    value = known.arrays[place] + [0.0, off_by]
    return deviation_at(place, value, known, "float32").is_off


def test_what_moves_so_far_with_the_order_is_explained_and_no_more():
    moved = {BIAS: np.array([1e-4, 3e-4])}
    known = with_orders(reference(BIAS), moved)
    limit = SAFETY * ORDER_FACTOR * 3e-4
    assert not is_off(BIAS, 0.99 * limit, known)
    assert is_off(BIAS, 1.01 * limit, known)
    assert is_off(BIAS, 0.99 * limit, reference(BIAS))


def test_the_order_never_narrows_what_is_explained():
    known = with_orders(reference(BIAS, spread=1.0), {BIAS: np.zeros(2)})
    assert known.spread[BIAS].tolist() == [1.0, 1.0]


def test_a_difference_of_meaning_stays_as_it_is_in_every_order():
    known = with_orders(reference(BIAS), {BIAS: np.array([0.0, 1e-8])})
    assert is_off(BIAS, 1e-4, known)


@pytest.mark.parametrize("nothing", [np.nan, np.inf])
def test_what_becomes_no_number_in_another_order_explains_nothing(nothing):
    known = with_orders(reference(BIAS), {BIAS: np.array([0.0, nothing])})
    assert is_off(BIAS, 1e-4, known)


def test_places_that_a_reference_lacks_are_of_no_use():
    known = with_orders(reference(BIAS), {Place(1, 1, STEP): np.array(1.0)})
    assert set(known.spread) == {BIAS}


@pytest.mark.parametrize("place", [POOL, Place(1, 1, LOSS)])
def test_an_output_or_a_loss_that_moves_far_depends_on_the_order(place):
    known = reference(place)
    far, near = (np.array([0.0, 2.0 * MOST_MOVED * share]) for share in (1.01, 0.99))
    assert depend_on_order({place: far}, known) == (place.subject,)
    assert depend_on_order({place: near}, known) == ()
    assert depend_on_order({place: np.array([np.nan, 0.0])}, known) == (place.subject,)


def test_a_gradient_that_moves_far_is_one_that_cancels_out():
    assert depend_on_order({BIAS: np.array([1.0, 2.0])}, reference(BIAS)) == ()


def test_what_a_worker_has_left_is_known_by_its_place():
    left = {SPREAD + BIAS.key: np.array([1.0]), BIAS.key: np.array([5.0])}
    assert list(moved_by_orders(left)) == [BIAS]


def summed(place: Place, own_off_by: float) -> Reference:
    known = reference(place)
    own = {place: known.arrays[place] + [0.0, own_off_by]}
    return with_sums(known, own, [place], BATCH)


#: Of a sum of 10,000 numbers, which is 2.
ROOM = SAFETY * 100.0 * 2.0**-24 * 2.0


@pytest.mark.parametrize("place", [POOL, Place(1, 1, INPUT_GRADIENT, "pool")])
def test_a_sum_within_an_example_has_room_where_float64_confirms_that_it_is_rounding(place):
    known = summed(place, 0.0)
    assert not is_off(place, 0.9 * ROOM, known)
    assert is_off(place, 1.1 * ROOM, known)


def test_a_difference_that_float64_has_as_well_is_no_rounding():
    rounding = 2.0**-24 * 2.0
    assert is_off(POOL, 0.9 * ROOM, summed(POOL, 1.1 * CONFIRMED * rounding))
    assert not is_off(POOL, 0.9 * ROOM, summed(POOL, 0.9 * CONFIRMED * rounding))


def test_a_backend_without_float64_has_no_more_room():
    assert is_off(POOL, 0.9 * ROOM, with_sums(reference(POOL), {}, [POOL], BATCH))


def made(stage: str, subject: str, own_off_by: float, **states: float) -> Reference:
    """Return the reference with room for constants, of a place and of states beside it."""
    place = Place(1, 1, stage, subject)
    known = reference(place)
    own = {place: known.arrays[place] + [0.0, own_off_by]}
    for name, off_by in states.items():
        state = Place(1, 1, UPDATE, f"optimizer/{name}")
        known.arrays[state], known.spread[state] = np.array([1.0]), np.array([1e-7])
        own[state] = np.array([1.0 + off_by])
    return with_constants(known, own, [place])


@pytest.mark.parametrize("stage", [UPDATE, STEP])
def test_what_an_optimizer_keeps_has_room_for_its_constants_as_they_are_rounded(stage):
    subject = "optimizer/dense_velocity"
    place, room = Place(1, 1, stage, subject), ONE_LESS_BETA * 2.0
    assert is_off(place, 0.99 * room, reference(place))
    assert not is_off(place, 0.99 * room, made(stage, subject, 0.99 * room))
    assert is_off(place, 1.01 * room, made(stage, subject, 0.0))
    assert is_off(place, 0.99 * room, made(stage, subject, 1.01 * room))


@pytest.mark.parametrize("stage", [UPDATE, STEP])
def test_a_weight_has_that_room_where_float64_or_what_the_optimizer_keeps_confirms_it(stage):
    subject = "dense/bias"
    place, room = Place(1, 1, stage, subject), ONE_LESS_BETA * 2.0
    assert not is_off(place, 0.99 * room, made(stage, subject, 0.0))
    # An epsilon, say, of which no state knows.
    assert is_off(place, 0.5 * room, made(stage, subject, 0.5 * room, velocity=0.0))
    assert not is_off(place, 0.5 * room, made(stage, subject, 2e-5, velocity=1.1e-5))
    assert is_off(place, 0.5 * room, made(stage, subject, 2e-5, velocity=1e-4))


def test_neither_a_loss_nor_a_layer_has_room_for_constants_of_an_optimizer():
    for place in (Place(1, 1, STEP), POOL, BIAS):
        known = reference(place)
        assert is_off(place, 5e-5, with_constants(known, known.arrays, [place]))


def test_gradients_of_weights_are_sums_over_the_batch_which_the_order_shows():
    assert is_off(BIAS, 1e-4, summed(BIAS, 0.0))


WHOLE = Place(1, 1, GRADIENT, "out/kernel")


def followed(own_off_by: float, place: Place = WHOLE, stage_bound: float = 1e-3) -> Reference:
    known = reference(place)
    own = {place: known.arrays[place] + [0.0, own_off_by]}
    stage = Deviation(POOL, 1e-4, stage_bound)
    return with_followers(known, own, [stage, Deviation(place, 1e-3, 1e-6)])


@pytest.mark.parametrize("place", [WHOLE, Place(1, 1, STEP, "w"), Place(1, 0, EPOCH_END, "w")])
def test_what_follows_from_a_stage_that_rounds_has_room_as_well(place):
    room = SAFETY * CANCELLED * 1e-4 * 2.0
    assert not is_off(place, 0.9 * room, followed(0.0, place))
    assert is_off(place, 1.1 * room, followed(0.0, place))


def test_what_follows_has_no_room_where_float64_or_the_stage_is_off_as_well():
    assert is_off(WHOLE, 2e-3, followed(1.1 * REST * 1e-3 * 2.0))
    assert is_off(WHOLE, 2e-3, followed(0.0, stage_bound=1e-5))


def test_what_follows_from_constants_that_float64_rounds_as_well_has_room():
    state, end = Place(1, 1, UPDATE, "w_velocity"), Place(1, 0, EPOCH_END, "w_velocity")
    known = reference(end)
    rounded = [2e-5, 0.0]
    arrays = known.arrays | {state: np.array([1.0, 2.0])}
    own = {state: arrays[state] + rounded, end: arrays[end] + rounded}
    looked_at = [Deviation(state, 1e-5, 6e-5), Deviation(end, 1e-5, 1e-6)]
    followed = with_followers(Reference(arrays, known.spread), own, looked_at)
    assert is_off(end, 2e-5, known)
    assert not is_off(end, 2e-5, followed)
    meant_otherwise = own | {end: arrays[end] + [1.1 * CANCELLED * 2e-5, 0.0]}
    strict = with_followers(Reference(arrays, known.spread), meant_otherwise, looked_at)
    assert is_off(end, 2e-5, strict)


def leapt(seen_off_by: float, own_off_by: float) -> bool:
    """Tell whether an output is off, though rounding explains any leap of it."""
    known = reference(POOL, spread=1.0)
    seen, own = ({POOL: known.arrays[POOL] + [0.0, by]} for by in (seen_off_by, own_off_by))
    narrowed = without_leaps(known, seen, own, "float32")
    return deviation_at(POOL, seen[POOL], narrowed, "float32").is_off


def test_an_output_that_leaps_in_both_precisions_alike_means_something_else():
    assert leapt(0.5, 0.5)


def test_an_output_that_leaps_in_float32_alone_rounds():
    assert not leapt(0.5, 0.0)
    assert not leapt(0.9 * LEAP, 0.9 * LEAP)


def test_in_single_precision_there_is_room_for_its_rounding():
    known = with_single_precision(reference(BIAS, spread=2.0**-53))
    assert known.spread[BIAS].tolist() == [2.0**-24] * 2


def test_a_tensor_belongs_to_a_call():
    assert [call_of(name) for name in ("add", "add:1", "add#2", "add#2:1")] == [
        "add", "add", "add#2", "add#2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("off_by", "told"), [(0.03, "1 digit"), (0.3, "0 digits"), (7.0, "0 digits")]
)
def test_few_digits_are_counted_as_well(off_by, told):
    said = digits_lost([Deviation(POOL, off_by, 10.0)], "float32")
    assert said == f"the output of layer pool to {told} in float32"


@pytest.mark.parametrize("off_by", [0.0, np.inf])
def test_what_has_no_digits_to_count_is_left_out(off_by):
    assert digits_lost([Deviation(POOL, off_by, np.inf)], "float32") == ""


def test_the_digits_are_told_of_the_stages_where_they_are_lost():
    rounded = [
        Deviation(BIAS, 3.3e-4, 1e-3),
        Deviation(Place(1, 1, GRADIENT, "conv/bias"), 1.1e-4, 1e-3),
        Deviation(POOL, 2.6e-6, 1e-5),
        Deviation(Place(1, 0, EPOCH_END, "conv/bias"), 0.1, 1.0),
    ]
    assert digits_lost(rounded, "float32") == (
        "the gradient of conv/bias to 3 digits, the output of layer pool to 5 digits in float32"
    )
    assert digits_lost(rounded[-1:], "float32") == ""


def test_of_many_stages_those_that_lose_most_are_told():
    shares = [2e-5, 2e-2, 2e-4, 2e-3, 2e-1]
    rounded = [
        Deviation(Place(1, 1, GRADIENT, f"conv_{number}/bias"), share, 1.0)
        for number, share in enumerate(shares)
    ]
    assert digits_lost(rounded, "float32") == (
        "the gradient of conv_4/bias to 0 digits, the gradient of conv_1/bias to 1 digit,"
        " the gradient of conv_3/bias to 2 digits, and 2 more to at least as many in float32"
    )
