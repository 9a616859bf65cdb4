import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity_builders import BIAS, KERNEL, LAST_BIAS, LAST_KERNEL, adam, blueprint, loss, training

from keras_bench.parity.arithmetic import Arithmetic, RandomRounding
from keras_bench.parity.deviations import SAFETY, deviations
from keras_bench.parity.network import covered
from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    RUNNING_LOSS,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
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


class Single:
    """A network of relu and softmax that trains by itself in float32, as a framework does.

    Cross-entropy and softmax have their gradient as one, and Adam moves its moments by a share
    of their distance, which is subtracted from 1 before it becomes a float32.
    """

    def __init__(self, planned, reference):
        self.planned, self.reference = planned, reference.arrays
        config = planned.blueprint.optimizer.config
        names = ("learning_rate", "beta_1", "beta_2", "epsilon")
        self.rate, self.beta_1, self.beta_2, self.epsilon = (
            np.float32(config[name]) for name in names
        )
        self.rests = [np.float32(1 - config[name]) for name in ("beta_1", "beta_2")]
        self.weights = (KERNEL, BIAS, LAST_KERNEL, LAST_BIAS)
        self.state = {path: np.float32(planned.initial[path]) for path in self.weights}
        for path in self.weights:
            for slot in ("momentum", "velocity"):
                self.state[self.slot(path, slot)] = np.zeros_like(self.state[path])
        self.state["optimizer/iteration"] = np.array(0)
        self.state["optimizer/learning_rate"] = self.rate

    @staticmethod
    def slot(path, slot):
        return f"optimizer/{path.replace('/', '_')}_{slot}"

    @staticmethod
    def softmax(logits):
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def step(self, state, x, y):
        hidden = np.maximum(x @ state[KERNEL] + state[BIAS], np.float32(0))
        chances = self.softmax(hidden @ state[LAST_KERNEL] + state[LAST_BIAS])
        by_logits = self.by_logits(chances, y)
        by_hidden = by_logits @ state[LAST_KERNEL].T * (hidden > 0)
        return self.loss(chances, y), {
            KERNEL: x.T @ by_hidden,
            BIAS: by_hidden.sum(axis=0),
            LAST_KERNEL: hidden.T @ by_logits,
            LAST_BIAS: by_logits.sum(axis=0),
        }

    @staticmethod
    def loss(chances, y):
        return np.mean(-np.log(chances[np.arange(len(y)), y]))

    @staticmethod
    def by_logits(chances, y):
        return (chances - np.eye(chances.shape[1], dtype="float32")[y]) / np.float32(len(y))

    def update(self, state, gradients):
        after = dict(state)
        after["optimizer/iteration"] = state["optimizer/iteration"] + 1
        iteration = np.float32(after["optimizer/iteration"])
        one = np.float32(1)
        rate = self.rate * np.sqrt(one - self.beta_2**iteration) / (one - self.beta_1**iteration)
        for path, gradient in gradients.items():
            first, second = self.slot(path, "momentum"), self.slot(path, "velocity")
            after[first] = state[first] + (gradient - state[first]) * self.rests[0]
            after[second] = state[second] + (gradient**2 - state[second]) * self.rests[1]
            root = np.sqrt(after[second]) + self.epsilon
            after[path] = state[path] - rate * after[first] / root
        return after

    def seen(self):
        seen = {Place(0, 0, INITIAL_WEIGHTS, path): self.state[path] for path in self.weights}
        for epoch, step in self.planned.points:
            found = self.taken_apart(epoch, step)
            seen |= {Place(epoch, step, *about): array for about, array in found.items()}
        return seen | self.freely()

    def taken_apart(self, epoch, step):
        def fed(stage, subject="loss"):
            array = self.reference[Place(epoch, step, stage, subject)]
            return array.astype("float32")

        x, y = self.planned.batch(epoch, step)
        state = {path: fed(BEFORE, path) for path in self.state}
        state["optimizer/iteration"] = np.rint(state["optimizer/iteration"]).astype(int)
        found = {}

        inputs, given_gradient = fed(LAYER_INPUT, "dense"), fed(OUTPUT_GRADIENT, "dense")
        hidden = np.maximum(inputs @ state[KERNEL] + state[BIAS], np.float32(0))
        by_logits = given_gradient * (hidden > 0)
        found[FORWARD, "dense"] = hidden
        found[INPUT_GRADIENT, "dense"] = by_logits @ state[KERNEL].T
        found[WEIGHT_GRADIENT, KERNEL] = inputs.T @ by_logits
        found[WEIGHT_GRADIENT, BIAS] = by_logits.sum(axis=0)

        inputs, given_gradient = fed(LAYER_INPUT, "dense_1"), fed(OUTPUT_GRADIENT, "dense_1")
        chances = self.softmax(inputs @ state[LAST_KERNEL] + state[LAST_BIAS])
        inner = (given_gradient * chances).sum(axis=1, keepdims=True)
        by_logits = chances * (given_gradient - inner)
        found[FORWARD, "dense_1"] = chances
        found[INPUT_GRADIENT, "dense_1"] = by_logits @ state[LAST_KERNEL].T
        found[WEIGHT_GRADIENT, LAST_KERNEL] = inputs.T @ by_logits
        found[WEIGHT_GRADIENT, LAST_BIAS] = by_logits.sum(axis=0)

        chances = self.softmax(fed(LOGITS))
        found[LOSS, "loss"] = self.loss(chances, y)
        found[LOSS_GRADIENT, "loss"] = self.by_logits(chances, y)

        value, gradients = self.step(state, x, y)
        found |= {(GRADIENT, path): gradients[path] for path in self.weights}
        found[STEP, "loss"] = value
        found |= {(STEP, path): array for path, array in self.update(state, gradients).items()}
        given_gradients = {path: fed(GRADIENT, path) for path in self.weights}
        updated = self.update(state, given_gradients)
        return found | {(UPDATE, path): array for path, array in updated.items()}

    def freely(self):
        seen = {}
        state = self.state
        size = self.planned.blueprint.batch_size
        for epoch, order in enumerate(self.planned.orders, start=1):
            total, examples = np.float32(0), 0
            for step in range(1, -(-len(order) // size) + 1):
                x, y = self.planned.batch(epoch, step)
                value, gradients = self.step(state, x, y)
                state = self.update(state, gradients)
                total, examples = total + value * np.float32(len(x)), examples + len(x)
                seen[Place(epoch, step, RUNNING_LOSS)] = total / np.float32(examples)
            seen[Place(epoch, 0, EPOCH_LOSS)] = total / np.float32(examples)
            seen |= {Place(epoch, 0, EPOCH_END, path): array for path, array in state.items()}
        return seen


def test_a_real_training_in_float32_lies_within_what_random_rounding_explains():
    compared = 0
    shares = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        hidden, outputs, inputs = (int(each) for each in random.integers((2, 2, 1), (9, 4, 6)))
        described = blueprint((inputs, hidden, outputs), optimizer=adam(0.01))
        planned = training(described, seed=seed)
        reference = by_textbook(covered(described), planned)
        single = Single(planned, reference)
        seen = single.seen()
        assert all(array.dtype.name in ("float32", "int64") for array in seen.values())
        assert set(reference.spread) <= set(seen)
        found = deviations(seen, reference, "float32")
        assert not [(seed, each) for each in found if each.is_off]
        compared += len(found)
        shares += [each.deviation / each.bound for each in found]
    assert compared > 10_000
    # The bounds aren't wide beyond use: many a deviation comes near a tenth of its own.
    assert np.quantile(shares, 0.9) > 0.02


def test_products_and_softmax_in_float32_lie_within_safety_of_the_spread():
    for seed in range(200):
        random = np.random.default_rng(seed)
        rows, inner, columns = random.integers(1, 60, size=3)
        left = random.normal(size=(rows, inner)).astype("float32")
        right = random.normal(size=(inner, columns)).astype("float32")
        exact = left.astype("float64") @ right.astype("float64")
        arithmetic = RandomRounding(SINGLE, 8, seed)
        several = arithmetic.dot(
            np.broadcast_to(left.astype("float64"), (8, rows, inner)),
            np.broadcast_to(right.astype("float64"), (8, inner, columns)),
        )
        spread = np.abs(several - exact).max(axis=0)
        assert (np.abs(left @ right - exact) <= SAFETY * spread).all(), seed


def test_half_precision_lies_beyond_what_rounding_to_float32_explains():
    described = blueprint(optimizer=adam(0.01))
    planned = training(described)
    reference = by_textbook(covered(described), planned)
    seen = Single(planned, reference).seen()
    forward = {place: array for place, array in seen.items() if place.stage == FORWARD}
    halved = {place: array.astype("float16") for place, array in forward.items()}
    assert not [each for each in deviations(forward, reference, "float32") if each.is_off]
    assert all(each.is_off for each in deviations(halved, reference, "float32"))
