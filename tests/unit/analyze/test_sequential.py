import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from keras_bench.analyze.sequential import LOOKS, repeated_interval

#: Student's t that 0.5 % exceed, from a table: 2.5 % on each side, shared by five looks.
T_OF_DEGREES = {5: 4.032143, 8: 3.355387, 12: 3.054540, 18: 2.878440, 27: 2.770683}


def test_every_look_comes_after_about_half_as_many_rounds_again():
    assert LOOKS == (6, 9, 13, 19, 28)
    assert all(1.4 <= later / earlier <= 1.5 for earlier, later in pairwise(LOOKS))


@pytest.mark.parametrize("rounds", LOOKS)
def test_the_interval_is_students_with_an_equal_share_of_the_error_at_each_look(rounds):
    generator = np.random.default_rng(rounds)
    values = generator.normal(0.03, 0.02, rounds)
    estimate = repeated_interval(values.tolist())
    error = values.std(ddof=1) / math.sqrt(rounds)
    assert math.log(estimate.value) == pytest.approx(values.mean())
    for end, sign in ((estimate.low, -1), (estimate.high, 1)):
        margin = sign * T_OF_DEGREES[rounds - 1] * error
        assert math.log(end) == pytest.approx(values.mean() + margin, rel=1e-6)
    # The same from SciPy's own test of a mean, at the level of one look.
    level = 1 - 0.05 / len(LOOKS)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (math.log(estimate.low), math.log(estimate.high)) == pytest.approx((low, high))


def test_six_rounds_worked_by_hand():
    # The squared deviations of 1 to 6 add up to 17.5: a variance of 3.5, an error of √(3.5 ÷ 6).
    estimate = repeated_interval([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    margin = 4.032143 * math.sqrt(3.5 / 6) * 0.01
    assert math.log(estimate.value) == pytest.approx(0.035)
    assert math.log(estimate.low) == pytest.approx(0.035 - margin, rel=1e-6)
    assert math.log(estimate.high) == pytest.approx(0.035 + margin, rel=1e-6)


def test_equal_values_give_an_interval_of_no_width():
    estimate = repeated_interval([0.02] * LOOKS[0])
    assert [estimate.low, estimate.value, estimate.high] == pytest.approx([math.exp(0.02)] * 3)


def test_exchanging_the_sides_inverts_the_interval():
    values = [0.01, 0.05, -0.02, 0.03, 0.00, 0.02]
    there, back = repeated_interval(values), repeated_interval([-value for value in values])
    assert back.value == pytest.approx(1 / there.value)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))
