import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity_builders import adam, blueprint, loss, training
from single_precision import Single

from keras_bench.parity.arithmetic import Arithmetic, RandomRounding
from keras_bench.parity.deviations import deviations
from keras_bench.parity.network import covered
from keras_bench.parity.places import (
    FORWARD,
)
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.reference import train
from keras_bench.parity.training import by_textbook

SINGLE = UNIT_ROUNDOFF["float32"]
REPLICAS = 50
#: Wide enough to be seen in float64, which has errors of its own.
WIDE = 1e-3

shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))
seeds = st.integers(0, 10**6)
MODEST = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("sizes", "activations", "losses"),
    [
        ((3, 5, 2), ("relu", "softmax"), (loss("SparseCategoricalCrossentropy"),)),
        ((3, 5, 2), ("softmax", "sigmoid"), (loss("BinaryCrossentropy"),)),
        ((2, 4, 3), ("sigmoid", "linear"), (loss("CategoricalCrossentropy", from_logits=True),)),
        ((4, 3, 2, 1), ("linear", "relu", "linear"), (loss("MeanSquaredError"),)),
    ],
)
def test_without_a_roundoff_random_rounding_is_exact(sizes, activations, losses):
    described = blueprint(sizes, activations, adam(), losses=losses)
    planned = training(described)
    arguments = (
        covered(described), planned.initial, planned.x, planned.y, planned.orders,
        described.batch_size, planned.points,
    )  # fmt: skip
    exact, random = train(*arguments, Arithmetic()), train(*arguments, RandomRounding(0.0, 3))
    assert exact.keys() == random.keys()
    for place, array in exact.items():
        # Products of stacks may add up in another order.
        each = np.broadcast_to(array, random[place].shape)
        assert random[place] == pytest.approx(each, rel=1e-12, abs=1e-16), place


@MODEST
@given(shape=shapes, seed=seeds)
def test_an_operation_by_elements_errs_by_up_to_the_roundoff(shape, seed):
    value = np.random.default_rng(seed).normal(size=(REPLICAS, *shape))
    errors = RandomRounding(WIDE, REPLICAS, seed).rounded(value) / value - 1
    assert np.abs(errors).max() <= WIDE * (1 + 1e-9)
    assert np.abs(errors).max() > WIDE / 2


@MODEST
@given(rows=shapes, inner=st.integers(1, 40), seed=seeds)
def test_a_product_errs_by_up_to_the_probabilistic_bound(rows, inner, seed):
    random = np.random.default_rng(seed)
    left = random.normal(size=(REPLICAS, rows[0], inner))
    right = random.normal(size=(REPLICAS, inner, rows[1]))
    errors = np.abs(RandomRounding(WIDE, REPLICAS, seed).dot(left, right) - left @ right)
    products = np.abs(left[..., None] * right[:, None]).sum(axis=2)
    bound = math.sqrt(inner) * WIDE * products
    assert (errors <= bound * (1 + 1e-9)).all()
    assert (errors / bound).max() > 0.5


@MODEST
@given(shape=shapes, axis=st.sampled_from([-1, -2, (-1, -2)]), seed=seeds)
def test_a_sum_errs_by_up_to_the_probabilistic_bound(shape, axis, seed):
    values = np.random.default_rng(seed).normal(size=(REPLICAS, *shape))
    total = RandomRounding(WIDE, REPLICAS, seed).total(values, axis)
    terms = np.prod([shape[each] for each in np.atleast_1d(axis)])
    exact = values.sum(axis=axis, keepdims=True)
    bound = math.sqrt(terms) * WIDE * np.abs(values).sum(axis=axis, keepdims=True)
    assert total.shape == exact.shape
    assert (np.abs(total - exact) <= bound * (1 + 1e-9)).all()
    assert (np.abs(total - exact) / bound).max() > 0.5


def test_a_constant_keeps_its_wrong_digits_and_has_others_in_each_replica():
    arithmetic = RandomRounding(WIDE, REPLICAS)
    rate, other = arithmetic.constant(0.1), arithmetic.constant(0.2)
    arithmetic.rounded(rate)
    assert np.array_equal(arithmetic.constant(0.1), rate)
    assert np.array_equal(arithmetic.cast(0.1), rate)
    assert rate.shape == (REPLICAS, 1, 1)
    assert len(np.unique(rate)) == REPLICAS
    assert np.abs(rate / 0.1 - 1).max() <= WIDE * (1 + 1e-9)
    assert not np.allclose(rate / 0.1, other / 0.2, rtol=1e-6)


def test_replicas_err_independently_and_so_do_repetitions():
    arithmetic = RandomRounding(WIDE, REPLICAS)
    once, again = (arithmetic.rounded(np.ones((2, 3))) for _ in range(2))
    assert once.shape == (REPLICAS, 2, 3)
    assert len(np.unique(once)) == once.size
    assert not np.intersect1d(once, again).size


def test_the_same_seed_errs_the_same_and_another_one_doesnt():
    one, same, other = (RandomRounding(WIDE, 4, seed).rounded(np.ones(3)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_zero_stays_zero_and_a_bare_number_gets_its_replicas():
    arithmetic = RandomRounding(WIDE, 4)
    assert not arithmetic.rounded(np.zeros((2, 2))).any()
    assert arithmetic.rounded(np.array(2.0)).shape == (4, 1, 1)
    assert arithmetic.rounded(np.ones(5)).shape == (4, 1, 5)


def test_adams_denominator_is_the_root_and_then_epsilon():
    velocity = np.array([[0.0, 4.0]])
    assert Arithmetic().adam_denominator(velocity, 0.5).tolist() == [[0.5, 2.5]]
    assert RandomRounding(0.0, 1).adam_denominator(velocity, 0.5).tolist() == [[[0.5, 2.5]]]


def test_a_mean_and_its_derivative_divide_by_the_count():
    assert Arithmetic().quotient(np.array([[6.0]]), 4).item() == 1.5
    assert Arithmetic().share(4) == 0.25


def test_half_precision_lies_beyond_what_rounding_to_float32_explains():
    described = blueprint(optimizer=adam(0.01))
    planned = training(described)
    reference = by_textbook(covered(described), planned)
    seen = Single(planned, reference).seen()
    forward = {place: array for place, array in seen.items() if place.stage == FORWARD}
    halved = {place: array.astype("float16") for place, array in forward.items()}
    assert not [each for each in deviations(forward, reference, "float32") if each.is_off]
    assert {each.is_off for each in deviations(halved, reference, "float32")} == {True}
