"""What rounds in slices have shown."""

import math
from dataclasses import replace

import pytest
from builders import in_slices, result, sample

from keras_bench.analyze.answer import weather_sentence
from keras_bench.analyze.slices import known_slice_seconds, speeds_by_round, weather

#: The logarithm of how much slower the machine was in each round: a standard deviation of 0.1.
WEATHER = (-0.1, 0.0, 0.1)


def arm_in_slices(backend, *logs, sliced_to_free=None, **changes):
    """Return an arm with a round for each log of its epoch's seconds, from the first one on."""
    samples = [
        in_slices(math.exp(log), round=number, sliced_to_free=sliced_to_free)
        for number, log in enumerate(logs, start=1)
    ]
    return result(backend, *samples, **changes)


def test_slices_are_as_long_as_the_latest_round_has_found_them():
    first, later = in_slices(round=1, slice_seconds=0.04), in_slices(round=2, slice_seconds=0.16)
    whole = in_slices(round=1, slice_seconds=None)
    jax, torch = result("jax", first, later), result("torch", whole)
    assert known_slice_seconds([jax, torch]) == {jax.arm: 0.16, torch.arm: math.inf}


def test_nothing_is_known_of_the_slices_of_an_arm_that_was_not_in_any():
    assert known_slice_seconds([result("jax"), result("torch", sample())]) == {}


def test_the_weather_that_arms_share_is_in_their_speed_and_not_in_their_ratio():
    jax = arm_in_slices("jax", *WEATHER)
    torch = arm_in_slices("torch", *(1.0 + log for log in WEATHER))
    found = weather([[jax, torch]])
    assert found.speed_deviation == pytest.approx(0.1)
    assert found.ratio_deviation == pytest.approx(0.0, abs=1e-9)


def test_what_one_arm_alone_does_is_in_the_ratio():
    jax, torch = arm_in_slices("jax", *WEATHER), arm_in_slices("torch", 0.0, 0.0, 0.0)
    found = weather([[jax, torch]])
    assert found.ratio_deviation == pytest.approx(0.1)
    assert found.speed_deviation == pytest.approx(math.sqrt((0.1**2 + 0.0) / 2))


def test_rounds_of_one_arm_alone_are_in_no_ratio():
    jax = arm_in_slices("jax", *WEATHER)
    torch = arm_in_slices("torch", *WEATHER, 5.0)
    assert weather([[jax, torch]]).ratio_deviation == pytest.approx(0.0, abs=1e-9)


def test_workloads_are_not_compared_with_each_other():
    one, two = (
        [arm_in_slices(backend, *logs, workload=name) for backend in ("jax", "torch")]
        for name, logs in (("one", WEATHER), ("two", WEATHER[::-1]))
    )
    assert weather([one, two]).ratio_deviation == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "results",
    [
        [arm_in_slices("jax", *WEATHER)],
        [arm_in_slices("jax", *WEATHER), arm_in_slices("torch", 0.0)],
        [arm_in_slices("jax", *WEATHER), result("torch")],
        [result("jax", 0.1, 0.2), result("torch", 0.1, 0.2)],
    ],
    ids=["one arm", "one common round", "one measured", "no slices"],
)
def test_without_two_common_rounds_of_two_arms_nothing_is_known(results):
    assert weather([results]) is None
    assert weather_sentence([results]) == ""


def test_slicing_is_told_by_the_mean_of_what_was_seen():
    jax = arm_in_slices("jax", *WEATHER, sliced_to_free=1.25)
    torch = arm_in_slices("torch", *WEATHER, sliced_to_free=0.8)
    unseen = arm_in_slices("tensorflow", *WEATHER)
    assert weather([[jax, torch, unseen]]).sliced_to_free == pytest.approx(1.0)
    assert weather([[replace(unseen, arm=jax.arm), unseen]]).sliced_to_free is None


def test_the_sentence_tells_what_the_machine_did_and_what_is_left_of_it():
    jax, torch = arm_in_slices("jax", *WEATHER), arm_in_slices("torch", 0.0, 0.0, 0.0)
    told = "From round to round the machine's speed varied by 7.1%, and the ratios by 10%"
    assert weather_sentence([[jax, torch]]) == f"{told}."
    sliced = arm_in_slices("jax", *WEATHER, sliced_to_free=1.12)
    expected = f"{told}; the same work took some 1.12 times as long in slices as without."
    assert weather_sentence([[sliced, torch]]) == expected


def test_speeds_are_told_by_the_mean_of_each_arm():
    jax = arm_in_slices("jax", *WEATHER)
    torch = arm_in_slices("torch", 2.0, 2.0)
    found = speeds_by_round([jax, torch, result("tensorflow", sample())])
    assert [(each.arm.backend, each.round) for each in found] == [
        *(("jax", number) for number in (1, 2, 3)),
        *(("torch", number) for number in (1, 2)),
    ]
    expected = [*map(math.exp, WEATHER), 1.0, 1.0]
    assert [each.relative_epoch for each in found] == pytest.approx(expected)


def test_of_one_arm_alone_no_speeds_tell_the_weather():
    assert speeds_by_round([arm_in_slices("jax", *WEATHER), arm_in_slices("torch", 0.0)]) == []
