from dataclasses import replace

import numpy as np
import pytest
from parity_builders import (
    BIAS,
    KERNEL,
    LAST_BIAS,
    LAST_KERNEL,
    adam,
    blueprint,
    examples,
    pretended,
    sgd,
    training,
)

from keras_bench.parity.arithmetic import Arithmetic, RandomRounding
from keras_bench.parity.blueprint import Part, Weight
from keras_bench.parity.deviations import deviations
from keras_bench.parity.network import covered
from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    LAYER_INPUT,
    LOGITS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    RUNNING_LOSS,
    SPREAD,
    STAGES,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.parity.reference import train
from keras_bench.parity.training import (
    COARSENESS,
    by_consensus,
    by_departure,
    by_textbook,
    plan_training,
    widened,
)


def reference_of(described, **options):
    planned = training(described, **options)
    return planned, by_textbook(covered(described), planned)


@pytest.mark.parametrize(
    ("count", "options", "points"),
    [
        # 13 examples in batches of 5 are 3 steps.
        (13, {}, ((1, 1), (1, 2), (1, 3), (2, 3))),
        (13, {"epochs": 1}, ((1, 1), (1, 2), (1, 3))),
        (13, {"most_steps": 1, "epochs": 3}, ((1, 1), (2, 1), (3, 1))),
        (10, {}, ((1, 1), (1, 2), (2, 2))),
        (31, {}, ((1, 1), (1, 2), (1, 3), (1, 7), (2, 7))),
        (3, {"epochs": 1}, ((1, 1),)),
        # A step of the blueprint has 1000 numbers.
        (31, {"most_numbers": 3999.0}, ((1, 3), (1, 7), (2, 7))),
        (31, {"most_numbers": 10.0}, ((2, 7),)),
    ],
)
def test_the_first_steps_and_the_last_of_each_epoch_are_taken_apart(count, options, points):
    assert training(count=count, **options).points == points


def test_the_epochs_are_the_workloads_unless_told_otherwise():
    assert len(training().orders) == 2
    assert len(training(epochs=5).orders) == 5


def test_batches_go_through_each_example_of_an_epoch_once():
    planned = training()
    batches = [planned.batch(2, step) for step in (1, 2, 3)]
    assert [len(x) for x, _ in batches] == [5, 5, 3]
    assert np.array_equal(np.concatenate([x for x, _ in batches]), planned.x[planned.orders[1]])
    assert np.array_equal(np.concatenate([y for _, y in batches]), planned.y[planned.orders[1]])


def test_weights_whose_initializer_is_unknown_start_as_the_backend_has_them():
    described = blueprint()
    described = replace(
        described,
        weights=(
            Weight(KERNEL, (3, 5), True, Part("keras.Identity", {})),
            *described.weights[1:],
        ),
    )
    x, y = examples(described)
    own = {f"own/{weight.path}": np.full(weight.shape, 0.5) for weight in described.weights}
    planned = plan_training(described, {"x": x, "y": y, **own}, "float32", 0)
    assert planned.own_start == (KERNEL,)
    assert (planned.initial[KERNEL] == 0.5).all()
    assert not (planned.initial[LAST_KERNEL] == 0.5).any()


def test_a_script_holds_the_initial_weights_and_the_order_of_each_epoch():
    planned = training()
    script = planned.script()
    assert set(script) == {
        *(f"initial/{weight.path}" for weight in planned.blueprint.weights), "order/1", "order/2",
    }  # fmt: skip
    assert np.array_equal(script["order/2"], planned.orders[1])
    assert np.array_equal(script[f"initial/{KERNEL}"], planned.initial[KERNEL])


def test_the_textbooks_arrays_are_those_of_the_training_in_the_shapes_of_keras():
    described = blueprint(optimizer=adam())
    planned, reference = reference_of(described)
    network = covered(described)
    exact = train(
        network, planned.initial, planned.x, planned.y, planned.orders, 5, planned.points,
        Arithmetic(),
    )  # fmt: skip
    for place, array in exact.items():
        assert np.array_equal(reference.arrays[place].ravel(), array.ravel())
    shapes = {weight.path: weight.shape for weight in described.weights}
    for stage in (WEIGHT_GRADIENT, GRADIENT, UPDATE, STEP):
        for path, shape in shapes.items():
            assert reference.arrays[Place(1, 2, stage, path)].shape == shape
    for path, shape in shapes.items():
        assert reference.arrays[Place(2, 0, EPOCH_END, path)].shape == shape
        assert reference.arrays[Place(0, 0, INITIAL_WEIGHTS, path)].shape == shape
        slot = network.slots["velocity", path]
        assert reference.arrays[Place(1, 1, UPDATE, slot)].shape == shape
    for place in (
        Place(1, 1, STEP), Place(1, 1, RUNNING_LOSS), Place(2, 0, EPOCH_LOSS),
        Place(1, 1, UPDATE, network.iterations), Place(1, 1, STEP, network.learning_rate),
    ):  # fmt: skip
        assert reference.arrays[place].shape == ()
    for place in (Place(1, 1, LOGITS), Place(1, 1, LOSS_GRADIENT), Place(1, 1, FORWARD, "dense_1")):
        assert reference.arrays[place].shape == (5, 2)


def test_spreads_are_known_where_a_backend_is_compared_and_nowhere_else():
    planned, reference = reference_of(blueprint(optimizer=adam()))
    fed = {BEFORE, LAYER_INPUT, OUTPUT_GRADIENT, LOGITS}
    assert {place.stage for place in reference.spread} == set(STAGES)
    assert {place for place in reference.arrays if place.stage not in fed} == set(reference.spread)
    for place, spread in reference.spread.items():
        assert (spread >= 0).all()
        assert spread.shape in ((), reference.arrays[place].shape)
        if place.stage in (RUNNING_LOSS, EPOCH_LOSS, EPOCH_END):
            assert spread.shape == ()
    assert reference.spread[Place(1, 3, FORWARD, "dense_1")].shape == (3, 2)
    assert planned.points[2] == (1, 3)


def test_the_spread_scales_with_the_precision():
    described = blueprint(optimizer=adam())
    _, single = reference_of(described, dtype="float32")
    _, double = reference_of(described, dtype="float64")
    exact = {
        (place.stage, place.subject) for place, each in single.spread.items() if not each.any()
    }
    counted = {(stage, "optimizer/iteration") for stage in (STEP, UPDATE, EPOCH_END)}
    given = {(INITIAL_WEIGHTS, path) for path in (KERNEL, BIAS, LAST_KERNEL, LAST_BIAS)}
    assert exact == {*counted, *given, (EPOCH_END, "optimizer/learning_rate")}
    for place, spread in single.spread.items():
        if (place.stage, place.subject) not in exact:
            # Past 2^-53 there is the rounding of the float64 that computes it, which adds little.
            assert 2.0**27 < spread.max() / double.spread[place].max() < 2.0**31, place


def test_a_step_apart_is_moved_less_than_a_training_that_feeds_itself():
    described = blueprint(optimizer=sgd(0.5), epochs=20)
    _, reference = reference_of(described, count=40)
    ends = [reference.spread[Place(epoch, 0, EPOCH_END, KERNEL)].max() for epoch in (1, 20)]
    last_update = reference.spread[Place(20, 8, UPDATE, KERNEL)].max()
    assert ends[1] > ends[0] > 0
    assert ends[1] > 3 * last_update > 0


def test_by_no_departure_the_reference_comes_back():
    described = blueprint(optimizer=adam())
    planned, reference = reference_of(described)
    same = by_departure(covered(described), planned, reference, RandomRounding, freely=True)
    assert set(same.spread) == set(reference.spread)
    for place in reference.spread:
        expected = reference.arrays[place]
        assert same.arrays[place].shape == expected.shape
        assert same.arrays[place] == pytest.approx(expected, rel=1e-12, abs=1e-16)
    assert not [d for d in deviations(pretended(same), reference, "float64") if d.is_off]


def test_the_free_training_is_left_out_of_a_departure_where_it_isnt_asked_for():
    described = blueprint()
    planned, reference = reference_of(described)
    apart = by_departure(covered(described), planned, reference, RandomRounding, freely=False)
    stages = {place.stage for place in apart.arrays}
    assert stages == set(STAGES) - {RUNNING_LOSS, EPOCH_LOSS, EPOCH_END}


def test_a_consensus_is_the_median_of_those_of_one_shape():
    step, spread = Place(1, 1, STEP, "w"), Place(1, 1, STEP, "w").key
    recordings = [
        {step.key: np.array([1.0, 5.0]), SPREAD + spread: np.array([0.1, 0.1])},
        {step.key: np.array([2.0, 9.0]), SPREAD + spread: np.array([0.3, 0.2])},
        {step.key: np.array([7.0, 6.0]), SPREAD + spread: np.array([0.2, 0.9])},
        {step.key: np.array([7.0, 6.0, 0.0])},
    ]
    reference = by_consensus(recordings)
    assert reference.arrays[step].tolist() == [2.0, 6.0]
    assert reference.spread[step].tolist() == [0.2, 0.2]


def consensus(*values):
    step = Place(1, 1, STEP, "w")
    return by_consensus([{step.key: np.array(each)} for each in values]).arrays[step]


@pytest.mark.parametrize(
    ("several", "middle"),
    [
        ((np.nan, np.nan, np.nan), np.nan),
        ((np.nan, np.nan, np.inf), np.nan),
        ((np.nan, np.inf, np.inf), np.inf),
        ((np.nan, np.nan, 2.0), 2.0),
        ((np.inf, np.inf, 2.0), 2.0),
        ((np.nan, 2.0, 4.0), 3.0),
        ((-np.inf, 2.0), 2.0),
        ((1.0, 2.0, 4.0), 2.0),
    ],
)
def test_a_consensus_is_finite_where_any_backend_is(several, middle):
    found = consensus(*([each, 1.0] for each in several))
    assert np.array_equal(found, [middle, 1.0], equal_nan=True)


#: A number that float32 doesn't have, and what becomes of it there.
THIRD, SINGLE_THIRD = [1 / 3, 1.0], [float(np.float32(1 / 3)), 1.0]


def test_a_consensus_leaves_out_what_was_computed_in_float32():
    assert consensus(THIRD, SINGLE_THIRD, SINGLE_THIRD).tolist() == THIRD


def test_what_float32_has_whole_as_well_is_outvoted_by_nobody():
    off = [1 / 3 + 1e-4, 1.0]
    assert consensus(off, SINGLE_THIRD, SINGLE_THIRD).tolist() == SINGLE_THIRD
    assert consensus([2.0, 1.0], [2.0, 1.0], [4.0, 1.0]).tolist() == [2.0, 1.0]


def test_a_consensus_keeps_integers_and_has_one_spread_for_what_a_training_ends_in():
    end = Place(1, 0, EPOCH_END, "w")
    recording = {
        end.key: np.array([1, 2]),
        SPREAD + end.key: np.array([0.25, 0.5]),
    }
    reference = by_consensus([recording, recording])
    assert reference.arrays[end].dtype.kind == "i"
    assert reference.spread[end].item() == 0.5
    assert reference.spread[end].shape == ()


def one_place(values, spread):
    place = Place(1, 1, UPDATE, "w")
    recording = {place.key: np.array(values), SPREAD + place.key: np.array(spread)}
    return place, by_consensus([recording])


def test_a_consensus_is_widened_to_the_middle_backends_own_rounding_but_never_narrowed():
    place, reference = one_place([1.0, 2.0], [1e-3, 0.5])
    own = [{place: np.array([1.0, 2.0 + fault])} for fault in (0.0, 0.0, 7.0)]
    seen = [
        {place: each[place] + [0.0, rounding]}
        for each, rounding in zip(own, (0.01, 0.2, 0.1), strict=True)
    ]
    # A fault that is there in both precisions is no rounding.
    spread = widened(reference, seen, own, "float32").spread[place]
    assert spread.tolist() == pytest.approx([COARSENESS * 0.1, COARSENESS * 0.5])
    alone = widened(reference, [], [], "float32").spread[place]
    assert alone.tolist() == pytest.approx([COARSENESS * 1e-3, COARSENESS * 0.5])


def test_backends_that_all_differ_excuse_each_other_in_nothing():
    place, reference = one_place([1.0, 2.0], [1e-7, 1e-7])
    seen = [{place: np.array([1.0, 2.0]) * share} for share in (1.0, 1.01, 1.02)]
    spread = widened(reference, seen, seen, "float32").spread[place]
    assert spread.max() < 1e-6


def test_a_backend_of_another_shape_has_no_say_in_how_wide_a_consensus_is():
    place, reference = one_place([1.0, 2.0], [1e-3, 1e-3])
    own = [{place: np.array([1.0, 2.0])}] * 2
    seen = [{place: np.array([1.0])}, {}]
    spread = widened(reference, seen, own, "float32").spread[place]
    assert spread.tolist() == pytest.approx([COARSENESS * 1e-3] * 2)


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_a_backend_that_is_no_number_neither_decides_nor_excuses(odd):
    place, reference = one_place([1.0, 2.0], [1e-3, 1e-3])
    own = [{place: np.array([1.0, 2.0])}] * 3
    seen = [{place: np.array([1.0, 2.0 + far])} for far in (0.01, 0.02, 0.03)]
    seen[odd][place][1] = np.nan
    assert np.isfinite(widened(reference, seen, own, "float32").spread[place]).all()
    recordings = [{place.key: each[place]} for each in seen]
    assert np.isfinite(by_consensus(recordings).arrays[place]).all()


def test_backends_without_numbers_excuse_themselves_in_nothing():
    place, reference = one_place([1.0, 2.0, np.nan], [1e-7, 1e-7, np.nan])
    nothing = {place: np.array([np.nan, 2.0, np.nan])}
    own = {place: np.array([1.0, 2.0, np.nan])}
    seen = {place: np.array([1.0, 2.5, np.nan])}
    spread = widened(reference, [seen, nothing, nothing], [own, nothing, nothing], "float32").spread
    assert spread[place][:2].tolist() == pytest.approx([COARSENESS * 0.5] * 2)


def test_a_gradient_that_is_zero_but_for_rounding_is_measured_by_the_others_of_its_step():
    nothing, something = Place(1, 1, GRADIENT, BIAS), Place(1, 1, GRADIENT, KERNEL)
    later = Place(1, 2, GRADIENT, BIAS)
    recording = {
        each.key: np.array(value)
        for each, value in ((nothing, [1e-20]), (something, [2.0]), (later, [1e-20]))
    }
    recording |= {SPREAD + key: np.zeros(1) for key in recording}
    spread = widened(by_consensus([recording]), [], [], "float32").spread
    assert spread[nothing].item() == pytest.approx(COARSENESS * 2.0 * 2.0**-24)
    assert spread[later].item() < 1e-25
