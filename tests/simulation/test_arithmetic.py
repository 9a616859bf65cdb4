"""Whether random rounding explains what float32 does."""

import numpy as np
from parity_builders import adam, blueprint, training
from single_precision import Single

from keras_bench.parity.arithmetic import RandomRounding
from keras_bench.parity.deviations import SAFETY, deviations
from keras_bench.parity.network import covered
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.training import by_textbook

SINGLE = UNIT_ROUNDOFF["float32"]


def test_a_real_training_in_float32_lies_within_what_random_rounding_explains(draws):
    trainings = draws(100)
    shares = []
    for seed in range(trainings):
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
        shares += [each.deviation / each.bound for each in found]
    assert len(shares) > 50 * trainings
    # The bounds aren't wide beyond use: many a deviation comes near a tenth of its own.
    assert np.quantile(shares, 0.9) > 0.02


def test_products_and_softmax_in_float32_lie_within_safety_of_the_spread(draws):
    for seed in range(draws(1000)):
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
