import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity_builders import GLOROT, blueprint

from keras_bench.parity.blueprint import Part, Weight
from keras_bench.parity.start import initial_weights, orders

MODEST = settings(max_examples=30, deadline=None, derandomize=True)

FANS = {"fan_in": 200, "fan_out": 300, "fan_avg": 250}
UNIFORM, NORMAL, TRUNCATED = "uniform", "untruncated normal", "truncated normal"


def drawn(kind, shape, config=None, seed=0):
    weight = Weight("w", shape, True, Part(f"keras.{kind}", config or {}))
    weights, unknown = initial_weights(blueprint(weights=(weight,)), {}, seed)
    assert unknown == ()
    assert weights["w"].shape == shape
    return weights["w"]


def scaling(scale, mode, distribution):
    config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": None}
    return "VarianceScaling", config


@pytest.mark.parametrize(
    ("kind", "config", "variance", "distribution"),
    [
        ("GlorotUniform", {}, 2 / (200 + 300), UNIFORM),
        ("GlorotNormal", {}, 2 / (200 + 300), TRUNCATED),
        ("HeUniform", {}, 2 / 200, UNIFORM),
        ("HeNormal", {}, 2 / 200, TRUNCATED),
        ("LecunUniform", {}, 1 / 200, UNIFORM),
        ("LecunNormal", {}, 1 / 200, TRUNCATED),
        (*scaling(3.0, "fan_in", "uniform"), 3 / 200, UNIFORM),
        (*scaling(3.0, "fan_out", "truncated_normal"), 3 / 300, TRUNCATED),
        (*scaling(3.0, "fan_avg", "untruncated_normal"), 3 / 250, NORMAL),
        ("RandomUniform", {"minval": -0.3, "maxval": 0.3}, 0.6**2 / 12, UNIFORM),
        ("RandomNormal", {"mean": 0.0, "stddev": 0.5}, 0.25, NORMAL),
    ],
)
def test_an_initializer_has_its_variance_and_its_distribution(kind, config, variance, distribution):
    values = drawn(kind, (200, 300), config)
    deviation = math.sqrt(variance)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
    assert values.var() == pytest.approx(variance, rel=0.03)
    # In standard deviations: where each distribution ends, and its fourth moment.
    reach, fourth = np.abs(values).max() / deviation, np.mean((values / deviation) ** 4)
    if distribution == UNIFORM:
        assert math.sqrt(3) * 0.999 < reach <= math.sqrt(3) + 1e-12
        assert fourth == pytest.approx(9 / 5, rel=0.03)
    elif distribution == TRUNCATED:
        # Cut off at two standard deviations of the normal distribution that it is made of.
        assert 2 / 0.8796 * 0.99 < reach <= 2 / 0.8796
        assert fourth == pytest.approx(2.37, rel=0.03)
    else:
        assert reach > 3.5
        assert fourth == pytest.approx(3.0, rel=0.05)


def test_glorots_limits_are_those_of_the_paper():
    values = drawn("GlorotUniform", (30, 70))
    limit = math.sqrt(6 / (30 + 70))
    assert 0.99 * limit < values.max() <= limit
    assert -limit <= values.min() < -0.99 * limit


def test_a_truncated_normal_stays_within_two_of_its_deviations():
    values = drawn("TruncatedNormal", (200, 200), {"mean": 3.0, "stddev": 0.5})
    assert 1.98 < np.abs((values - 3.0) / 0.5).max() <= 2.0
    assert values.mean() == pytest.approx(3.0, abs=0.01)
    # The deviation given is that of the distribution before it is cut off.
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.02)


def test_bounds_and_mean_of_the_plain_distributions_are_those_configured():
    uniform = drawn("RandomUniform", (100, 100), {"minval": 2.0, "maxval": 5.0})
    assert 2.0 <= uniform.min() < 2.01
    assert 4.99 < uniform.max() <= 5.0
    normal = drawn("RandomNormal", (100, 100), {"mean": -4.0, "stddev": 0.1})
    assert normal.mean() == pytest.approx(-4.0, abs=0.01)
    assert normal.std() == pytest.approx(0.1, rel=0.05)


@MODEST
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    gain=st.floats(0.1, 3.0),
    seed=st.integers(0, 1000),
)
def test_the_shorter_side_of_an_orthogonal_matrix_is_orthonormal(rows, columns, gain, seed):
    values = drawn("Orthogonal", (rows, columns), {"gain": gain}, seed) / gain
    gram = values.T @ values if rows >= columns else values @ values.T
    assert gram == pytest.approx(np.eye(min(rows, columns)), abs=1e-12)


def test_an_orthogonal_kernel_of_a_convolution_has_its_last_axis_as_columns():
    values = drawn("Orthogonal", (3, 3, 2, 4), {"gain": 1.0}).reshape(18, 4)
    assert values.T @ values == pytest.approx(np.eye(4), abs=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    corners = [drawn("Orthogonal", (3, 3), {"gain": 1.0}, seed)[0, 0] for seed in range(300)]
    assert 100 < sum(corner > 0 for corner in corners) < 200


@pytest.mark.parametrize(
    ("kind", "config", "value"),
    [("Zeros", {}, 0.0), ("Ones", {}, 1.0), ("Constant", {"value": 0.25}, 0.25)],
)
def test_initializers_of_one_value_give_it_throughout(kind, config, value):
    assert drawn(kind, (3, 2), config).tolist() == [[value] * 2] * 3
    assert drawn(kind, (), config).item() == value


def test_the_fans_of_a_convolution_count_its_field():
    limit = math.sqrt(6 / (3 * 5 * 8 + 3 * 5 * 16))
    values = drawn("GlorotUniform", (3, 5, 8, 16))
    assert 0.99 * limit < np.abs(values).max() <= limit
    assert drawn("HeNormal", (3, 5, 8, 400)).var() == pytest.approx(2 / (3 * 5 * 8), rel=0.05)


def test_a_vector_has_its_length_as_both_fans():
    values = drawn("HeUniform", (5000,))
    assert 0.99 * math.sqrt(6 / 5000) < np.abs(values).max() <= math.sqrt(6 / 5000)


def test_the_same_seed_draws_the_same_and_another_one_something_else():
    one, same, other = (drawn("HeNormal", (4, 4), seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one, same)
    assert not np.intersect1d(one, other).size


def test_weights_of_the_same_shape_draw_for_themselves():
    weights = tuple(Weight(name, (4, 4), True, GLOROT) for name in ("one", "two"))
    values, _ = initial_weights(blueprint(weights=weights), {}, 0)
    assert not np.intersect1d(values["one"], values["two"]).size


@pytest.mark.parametrize(
    ("initializer", "shape"),
    [
        (Part("keras.Identity", {"gain": 1.0}), (2, 2)),
        (Part("mine.GlorotUniform", {}), (2, 2)),
        (Part("keras.Constant", {"value": "a tensor"}), (2, 2)),
        (Part("keras.Orthogonal", {"gain": 1.0}), (2,)),
        (Part("keras.GlorotUniform", {}), ()),
        (None, (2, 2)),
    ],
)
def test_an_unknown_initializer_leaves_the_backends_own_values(initializer, shape):
    known = Weight("known", (2,), True, Part("keras.Ones", {}))
    weights = (known, Weight("dense/kernel", shape, True, initializer))
    own = {"dense/kernel": np.full(shape, 5.0), "known": np.zeros(2)}
    values, unknown = initial_weights(blueprint(weights=weights), own, 0)
    assert unknown == ("dense/kernel",)
    assert np.array_equal(values["dense/kernel"], own["dense/kernel"])
    assert values["known"].tolist() == [1.0, 1.0]


def test_a_shuffled_order_is_a_permutation_for_all_epochs_that_differs_by_seed():
    first, *others = orders(blueprint(shuffle=True), 50, 3, None, seed=1)
    assert sorted(first) == list(range(50)) != list(first)
    assert [other.tolist() for other in others] == [first.tolist()] * 2
    assert np.array_equal(orders(blueprint(), 50, 1, None, seed=1)[0], first)
    assert not np.array_equal(orders(blueprint(), 50, 1, None, seed=2)[0], first)


def test_unshuffled_orders_go_through_the_data_as_it_is():
    for order in orders(blueprint(shuffle=False), 7, 2, None, seed=1):
        assert order.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_an_epoch_ends_after_the_most_steps():
    whole = orders(blueprint(batch_size=4), 20, 2, None, seed=3)
    cut = orders(blueprint(batch_size=4), 20, 2, 3, seed=3)
    assert [order.tolist() for order in cut] == [order[:12].tolist() for order in whole]
    assert [len(order) for order in orders(blueprint(batch_size=4), 20, 2, 9, seed=3)] == [20, 20]
