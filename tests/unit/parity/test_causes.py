from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from parity_builders import (
    BIAS,
    KERNEL,
    LAST_BIAS,
    LAST_KERNEL,
    adam,
    blueprint,
    pretended,
    training,
)

from keras_bench.parity.causes import find_causes
from keras_bench.parity.deviations import Deviation, deviations
from keras_bench.parity.network import Adam, covered
from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    INPUT_GRADIENT,
    LOSS,
    LOSS_GRADIENT,
    RUNNING_LOSS,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.parity.training import by_textbook

VELOCITY = "optimizer/dense_kernel_velocity"
POINTS = ((1, 1), (1, 2), (1, 3), (2, 3))


@cache
def known():
    described = blueprint((3, 5, 4, 2), ("relu", "sigmoid", "softmax"), adam())
    planned = training(described)
    assert planned.points == POINTS
    return planned, by_textbook(covered(described), planned)


def backend():
    return pretended(known()[1])


def put_off(seen, stages, subjects, share=1e-4, points=POINTS):
    """Put what a backend has seen off by a share, in place; without subjects, all of them."""
    for place in seen:
        chosen = place.stage in stages and (not subjects or place.subject in subjects)
        if chosen and ((place.epoch, place.step) in points or not place.step):
            seen[place] = seen[place] * (1 + share)


def afterwards(seen, share=1e-4):
    """Put off what follows from everything else."""
    put_off(seen, {STEP, RUNNING_LOSS, EPOCH_LOSS, EPOCH_END}, None, share)
    for place in [*seen]:
        if "optimizer/iteration" in place.subject:
            seen[place] = np.array(known()[1].arrays[place])


def causes_of(seen, other_data=False):
    planned, reference = known()
    off = [each for each in deviations(seen, reference, "float32") if each.is_off]
    return find_causes(off, planned.blueprint, seen, reference.arrays, other_data)


def whats(seen, other_data=False):
    return [cause.what for cause in causes_of(seen, other_data)]


def test_nothing_is_off_with_a_backend_that_does_the_same():
    assert whats(backend()) == []


@pytest.mark.parametrize("layer", ["dense", "dense_1", "dense_2"])
def test_a_layers_output_that_is_off_names_the_layer_and_not_what_follows(layer):
    seen = backend()
    put_off(seen, {FORWARD}, {layer})
    put_off(seen, {INPUT_GRADIENT}, {layer})
    put_off(seen, {WEIGHT_GRADIENT}, {f"{layer}/kernel", f"{layer}/bias"})
    put_off(seen, {GRADIENT}, None)
    afterwards(seen)
    (cause,) = causes_of(seen)
    assert cause.what == f"the output of layer {layer}"
    assert cause.first.place == Place(1, 1, FORWARD, layer)
    # Of the element furthest beyond its bound, which needn't be the largest.
    assert 1e-5 < cause.first.deviation < 1.001e-4
    assert {each.place.stage for each in cause.places} == {FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT}


def test_a_cause_is_first_seen_at_the_step_where_it_begins():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense_1"}, points=POINTS[2:])
    (cause,) = causes_of(seen)
    assert cause.first.place == Place(1, 3, FORWARD, "dense_1")
    assert [each.place.epoch for each in cause.places] == [1, 2]


def test_a_layer_with_a_colon_in_its_name_is_named_too():
    planned, reference = known()
    renamed = [replace(planned.blueprint.layers[0], name="block:1"), *planned.blueprint.layers[1:]]
    described = replace(planned.blueprint, layers=tuple(renamed))
    arrays = {
        replace(place, subject="block:1") if place.subject == "dense" else place: array
        for place, array in reference.arrays.items()
    }
    place = Place(1, 1, FORWARD, "block:1")
    off = [Deviation(place, 0.5, 1e-7)]
    (cause,) = find_causes(off, described, {place: arrays[place] * 1.5}, arrays, False)
    assert cause.what == "the output of layer block:1"


def test_what_belongs_to_no_layer_is_off_all_the_same():
    planned, reference = known()
    off = [Deviation(Place(1, 1, WEIGHT_GRADIENT, "loose/weight"), 0.5, 1e-7)]
    (cause,) = find_causes(off, planned.blueprint, {}, reference.arrays, False)
    assert cause.what == "the weight gradient of loose/weight"


def test_a_zeroed_gradient_beside_an_output_that_is_off_is_a_cause_of_its_own():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense_1"}, 3e-3)
    put_off(seen, {WEIGHT_GRADIENT}, {"dense_1/kernel"}, -1.0)
    assert whats(seen) == [
        "the output of layer dense_1",
        "the gradient of dense_1/kernel, which is zero",
    ]


def test_a_variable_of_another_shape_is_off_and_breaks_nothing():
    seen = backend()
    seen[Place(1, 1, UPDATE, BIAS)] = np.zeros(3)
    (cause,) = causes_of(seen)
    assert cause.what == f"the optimizer's update of {BIAS}"


def test_two_layers_with_faults_of_their_own_are_two_causes_in_the_order_of_the_model():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense_2", "dense"})
    afterwards(seen)
    assert whats(seen) == ["the output of layer dense", "the output of layer dense_2"]


def test_a_layer_and_an_independent_optimizer_are_two_causes():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense_1"})
    planned, reference = known()
    network = covered(planned.blueprint)
    assert isinstance(network.optimizer, Adam)
    # What Adam does with an epsilon of 1e-5, from the formula.
    for epoch, step in POINTS:
        for path in network.weights:
            after = {
                slot: reference.arrays[Place(epoch, step, UPDATE, network.slots[slot, path])]
                for slot in ("momentum", "velocity")
            }
            before = reference.arrays[Place(epoch, step, BEFORE, path)]
            iteration = reference.arrays[Place(epoch, step, UPDATE, network.iterations)]
            rate = 0.01 * np.sqrt(1 - 0.999**iteration) / (1 - 0.9**iteration)
            moved = rate * after["momentum"] / (np.sqrt(after["velocity"]) + 1e-5)
            seen[Place(epoch, step, UPDATE, path)] = before - moved
    afterwards(seen)
    layer, optimizer = causes_of(seen)
    assert layer.what == "the output of layer dense_1"
    assert optimizer.what.startswith("the optimizer's update of dense")
    assert optimizer.first.place.step == 1
    assert optimizer.first.place.stage == UPDATE
    assert {each.place.subject for each in optimizer.places} <= set(network.weights)


def test_the_optimizers_state_is_named_before_the_weights_that_follow_from_it():
    seen = backend()
    put_off(seen, {UPDATE, STEP, EPOCH_END}, {VELOCITY, KERNEL})
    put_off(seen, {EPOCH_LOSS}, None)
    (cause,) = causes_of(seen)
    assert cause.what == f"the optimizer's {VELOCITY.removeprefix('optimizer/')}"
    assert cause.first.place == Place(1, 1, UPDATE, VELOCITY)
    assert {each.place.subject for each in cause.places} == {VELOCITY, KERNEL}


@pytest.mark.parametrize("path", [KERNEL, LAST_BIAS, "optimizer/iteration"])
def test_a_variable_that_an_update_leaves_alone_is_said_to_stay(path):
    seen = backend()
    for epoch, step in POINTS:
        before = known()[1].arrays[Place(epoch, step, BEFORE, path)]
        seen[Place(epoch, step, UPDATE, path)] = np.array(before)
    (cause,) = causes_of(seen)
    of = "'s" if path.startswith("optimizer") else "'s update of"
    name = path.removeprefix("optimizer/")
    assert cause.what == f"the optimizer{of} {name}, which stays what it was"


def test_a_weight_that_the_training_step_leaves_alone_is_said_to_stay():
    seen = backend()
    for epoch, step in POINTS:
        before = known()[1].arrays[Place(epoch, step, BEFORE, LAST_BIAS)]
        seen[Place(epoch, step, STEP, LAST_BIAS)] = np.array(before)
    (cause,) = causes_of(seen)
    assert cause.what == (
        f"the training step (train_step), in {LAST_BIAS}, which stays what it was"
    )
    assert cause.first.place == Place(1, 1, STEP, LAST_BIAS)


def test_the_zeroed_gradient_of_one_weight_is_named_and_so_is_that_it_is_zero():
    seen = backend()
    put_off(seen, {WEIGHT_GRADIENT, GRADIENT}, {LAST_KERNEL}, share=-1)
    afterwards(seen)
    (cause,) = causes_of(seen)
    assert cause.what == f"the gradient of {LAST_KERNEL}, which is zero"
    assert cause.first.place.stage == WEIGHT_GRADIENT
    assert cause.first.deviation > 1e3 * cause.first.bound


def test_a_gradient_of_one_weight_that_is_off_but_not_zero_is_named_without():
    seen = backend()
    put_off(seen, {WEIGHT_GRADIENT}, {BIAS})
    assert whats(seen) == [f"the gradient of {BIAS}"]


@pytest.mark.parametrize(
    ("stages", "subjects"),
    [
        ({WEIGHT_GRADIENT}, {KERNEL, BIAS}),
        ({INPUT_GRADIENT}, {"dense"}),
        ({INPUT_GRADIENT, WEIGHT_GRADIENT}, {"dense", KERNEL}),
    ],
)
def test_several_gradients_of_a_layer_are_one_cause(stages, subjects):
    seen = backend()
    put_off(seen, stages, subjects)
    put_off(seen, {GRADIENT}, {KERNEL, BIAS})
    afterwards(seen)
    assert whats(seen) == ["the gradients of layer dense"]


def test_a_gradient_far_more_off_than_its_layers_output_has_a_cause_of_its_own():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense"}, share=1e-4)
    put_off(seen, {WEIGHT_GRADIENT}, {KERNEL}, share=-1)
    put_off(seen, {WEIGHT_GRADIENT}, {BIAS}, share=1e-3)
    output, gradient = causes_of(seen)
    assert output.what == "the output of layer dense"
    assert {each.place.subject for each in output.places} == {"dense", BIAS}
    assert gradient.what == f"the gradient of {KERNEL}, which is zero"


def test_a_gradient_through_the_whole_model_is_named_where_no_layer_is_off():
    seen = backend()
    put_off(seen, {GRADIENT}, {LAST_KERNEL}, share=-1)
    afterwards(seen)
    assert whats(seen) == [f"the gradient of {LAST_KERNEL}, which is zero, through the whole model"]
    seen = backend()
    put_off(seen, {GRADIENT}, {LAST_KERNEL, KERNEL})
    # Backward, the later layer comes first.
    assert whats(seen) == [f"the gradient of {LAST_KERNEL}, through the whole model"]


def test_an_initial_value_that_is_not_taken_is_named_with_nothing_that_follows():
    seen = backend()
    seen[Place(0, 0, INITIAL_WEIGHTS, KERNEL)] += 0.1
    put_off(seen, {FORWARD}, {"dense"})
    put_off(seen, {WEIGHT_GRADIENT, UPDATE}, {KERNEL})
    put_off(seen, {GRADIENT}, None)
    afterwards(seen, 0.1)
    (cause,) = causes_of(seen)
    assert cause.what == f"the initial value of {KERNEL}, which it doesn't take"
    assert cause.first.place == Place(0, 0, INITIAL_WEIGHTS, KERNEL)


def test_initial_values_of_one_layer_are_one_cause_and_those_of_two_are_two():
    seen = backend()
    for path in (KERNEL, BIAS, LAST_KERNEL):
        seen[Place(0, 0, INITIAL_WEIGHTS, path)] += 0.1
    one, other = whats(seen)
    assert one == f"the initial value of {KERNEL}, {BIAS}, which it doesn't take"
    assert "dense_1/kernel" in other


def test_a_loss_without_its_mean_is_named_and_not_its_gradients_through_the_model():
    seen = backend()
    put_off(seen, {LOSS, LOSS_GRADIENT, GRADIENT}, None, share=4.0)
    afterwards(seen, 4.0)
    (cause,) = causes_of(seen)
    assert cause.what == "the loss"
    assert cause.first.place == Place(1, 1, LOSS)
    assert cause.first.deviation == pytest.approx(4.0)


def test_a_loss_whose_gradient_alone_is_off_is_said_to_be_so():
    seen = backend()
    put_off(seen, {LOSS_GRADIENT, GRADIENT}, None)
    afterwards(seen)
    assert whats(seen) == ["the gradient of the loss"]


def test_a_loss_that_is_off_in_the_training_step_alone_is_named():
    seen = backend()
    put_off(seen, {STEP}, {"loss"})
    assert whats(seen) == ["the loss in the training step (train_step)"]


def test_other_batches_in_fit_are_told_by_the_backends_own_first_loss():
    seen = backend()
    put_off(seen, {RUNNING_LOSS, EPOCH_LOSS, EPOCH_END}, None, share=0.05)
    (cause,) = causes_of(seen)
    assert cause.what == "the batches that fit trains on"
    assert cause.first.place == Place(1, 1, RUNNING_LOSS)


def test_other_batches_in_fit_are_told_beside_another_cause():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense"})
    put_off(seen, {STEP}, None, share=1e-4)
    put_off(seen, {RUNNING_LOSS, EPOCH_LOSS, EPOCH_END}, None, share=0.05)
    assert whats(seen) == ["the output of layer dense", "the batches that fit trains on"]


def test_a_first_loss_that_fit_and_train_on_batch_share_is_no_matter_of_batches():
    seen = backend()
    put_off(seen, {LOSS, LOSS_GRADIENT}, None, share=0.5)
    put_off(seen, {STEP, RUNNING_LOSS, EPOCH_LOSS, EPOCH_END}, None, share=0.5)
    assert whats(seen) == ["the loss"]


def test_a_fit_that_parts_later_though_each_step_agrees_is_said_to():
    seen = backend()
    put_off(seen, {RUNNING_LOSS}, None, share=0.05, points=POINTS[1:])
    put_off(seen, {EPOCH_LOSS, EPOCH_END}, None, share=0.05)
    (cause,) = causes_of(seen)
    assert cause.what == "the training by fit, though each step by itself agrees"
    assert cause.first.place == Place(1, 2, RUNNING_LOSS)


def test_other_data_put_off_the_losses_and_gradients_by_themselves():
    seen = backend()
    put_off(seen, {LOSS, LOSS_GRADIENT, GRADIENT}, None, share=0.3)
    afterwards(seen, 0.3)
    assert whats(seen, other_data=True) == []
    put_off(seen, {FORWARD}, {"dense_2"})
    assert whats(seen, other_data=True) == ["the output of layer dense_2"]


def test_an_output_of_several_counts_for_its_layer():
    planned, reference = known()
    seen = backend()
    put_off(seen, {FORWARD}, {"dense_1"})
    off = [each for each in deviations(seen, reference, "float32") if each.is_off]
    for name in ("dense_1:0", "dense_1#2", "dense_1#2:1"):
        renamed = [
            type(each)(
                Place(each.place.epoch, each.place.step, FORWARD, name),
                each.deviation,
                each.bound,
            )
            for each in off
        ]
        (cause,) = find_causes(renamed, planned.blueprint, seen, reference.arrays, False)
        assert cause.what == "the output of layer dense_1"


def test_nan_and_another_shape_are_causes_like_others():
    seen = backend()
    put_off(seen, {FORWARD}, {"dense"}, share=np.nan)
    assert whats(seen) == ["the output of layer dense"]
    seen = backend()
    for epoch, step in POINTS:
        seen[Place(epoch, step, WEIGHT_GRADIENT, KERNEL)] = np.ones((2, 2))
    (cause,) = causes_of(seen)
    assert cause.what == f"the gradient of {KERNEL}"
    assert cause.first.deviation == np.inf
