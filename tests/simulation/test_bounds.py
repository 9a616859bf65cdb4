import numpy as np
import pytest
from bounds import CHANCE, at_least, at_most, between


def test_a_coin_that_falls_ten_times():
    # All ten heads, or none, come once in 1024 times each: too often to refute a fair coin.
    assert all(between(count, 10, 0.5, 0.5) for count in range(11))
    # One in 16384 times is rare enough.
    assert not between(0, 14, 0.5, 0.5)
    assert not between(14, 14, 0.5, 0.5)
    assert between(1, 14, 0.5, 0.5)
    assert between(13, 14, 0.5, 0.5)


@pytest.mark.parametrize(
    ("draws", "rate", "least", "most"),
    [
        # The mean, and 3.719 deviations, of a count that is nearly normal.
        (1_000_000, 0.5, 500_000 - 1859.5, 500_000 + 1859.5),
        (1_000_000, 0.05, 50_000 - 810.5, 50_000 + 810.5),
    ],
)
def test_many_draws_allow_the_deviations_of_a_normal_count(draws, rate, least, most):
    for count, within in ((least - 5, False), (least + 5, True)):
        assert at_least(count, draws, rate) is within
    for count, within in ((most - 5, True), (most + 5, False)):
        assert at_most(count, draws, rate) is within


def test_a_rare_event_may_happen_as_often_as_poissons_law_allows():
    # Of a mean of 1, seven or more happen in 8.3e-5, six or more in 5.9e-4 of times.
    assert at_most(6, 100_000, 1e-5)
    assert not at_most(7, 100_000, 1e-5)


@pytest.mark.parametrize("draws", [1, 30, 1000])
def test_what_is_never_to_happen_may_happen_never_and_what_always_always(draws):
    assert at_most(0, draws, 0.0)
    assert not at_most(1, draws, 0.0)
    assert at_least(draws, draws, 1.0)
    assert not at_least(draws - 1, draws, 1.0)


def test_few_draws_refute_less_than_many():
    assert at_most(2, 30, 0.01)
    assert not at_most(200, 3000, 0.01)


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.95])
@pytest.mark.parametrize("draws", [30, 400])
def test_a_rate_that_is_just_kept_is_hardly_ever_refuted(rate, draws):
    counts = np.random.default_rng(0).binomial(draws, rate, 500)
    refuted = sum(not between(int(count), draws, rate, rate) for count in counts)
    assert at_most(refuted, len(counts), 2 * CHANCE)


def test_a_tenth_is_drawn_by_default(draws, request):
    drawn = {True: (5000, 40, 3), False: (500, 5, 3)}[request.config.getoption("full")]
    assert (draws(5000), draws(40), draws(3)) == drawn
