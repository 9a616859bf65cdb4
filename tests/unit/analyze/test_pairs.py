import math
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from builders import (
    AGREES,
    DIFFERS,
    EXPLAINED,
    FIRST_LOOK,
    around,
    failure,
    gate,
    in_slices,
    sample,
    side,
    two_sides,
)

from keras_bench.analyze.pairs import LeftOut, is_sound, log_ratio, pairs
from keras_bench.analyze.stats import centre
from keras_bench.analyze.verdict import judge
from keras_bench.records import UNCHECKED, GateSettings

CPU = GateSettings(metric="cpu")


def only(*sides, **changes):
    (pair,) = pairs(gate(*sides, **changes))
    return pair


def rounds_of(result, *numbers):
    """Return a result with the samples of these rounds alone."""
    samples = tuple(each for each in result.samples if each.round in numbers)
    return replace(result, samples=samples)


def left_out_rounds(pair):
    return [each.round for each in pair.left_out]


# What is compared with what.


def test_a_pair_holds_both_sides_their_epochs_and_the_judgement():
    values = around(0.1, FIRST_LOOK)
    baseline, candidate = two_sides(values)
    pair = only(baseline, candidate)
    assert pair.sides == (baseline, candidate)
    assert pair.baseline_epoch == centre([0.1] * FIRST_LOOK)
    assert pair.candidate_epoch.value == pytest.approx(0.1 * math.exp(0.1), rel=1e-3)
    assert pair.left_out == ()
    assert pair.judgement.verdict == judge(values, 0.05).verdict
    assert pair.judgement.ratio.high == pytest.approx(judge(values, 0.05).ratio.high)


def test_every_workload_is_a_pair_of_its_own_whatever_the_order_of_arms():
    one = two_sides([0.1] * FIRST_LOOK, workload="one")
    two = two_sides([0.0] * FIRST_LOOK, workload="two")
    found = pairs(gate(one[0], two[0], one[1], two[1]))
    assert [pair.sides for pair in found] == [one, two]
    assert [pair.judgement.confirming for pair in found] == ["regressed", None]


def test_backends_are_not_compared_with_each_other():
    jax, torch = two_sides([0.0] * 5), two_sides([0.0] * 5, backend="torch")
    assert [pair.sides for pair in pairs(gate(*jax, *torch))] == [jax, torch]


def test_of_several_environments_each_is_compared_with_the_one_before():
    first, second, third = (side(label, 0.1) for label in ("1.0", "1.1", "1.2"))
    found = pairs(gate(first, second, third))
    assert [pair.sides for pair in found] == [(first, second), (second, third)]


@pytest.mark.parametrize("odd", [{"failure": failure()}, {"parity": DIFFERS}], ids=str)
def test_one_that_could_not_be_measured_is_nobodys_baseline(odd):
    first, second, third = side("1.0", 0.1), side("1.1", **odd), side("1.2", 0.1)
    found = pairs(gate(first, second, third))
    assert [pair.sides for pair in found] == [(first, second), (first, third)]


def test_where_none_before_could_be_measured_the_last_of_them_says_why():
    first, second = side("1.0", failure=failure()), side("1.1", parity=DIFFERS)
    third = side("1.2", 0.1)
    found = pairs(gate(first, second, third))
    assert [pair.sides for pair in found] == [(first, second), (second, third)]
    assert not any(pair.wanted for pair in found)


def test_the_threshold_is_that_of_the_settings():
    sides = two_sides(around(0.04, 2 * FIRST_LOOK))
    assert only(*sides).judgement.verdict == "unchanged"
    strict = only(*sides, settings=GateSettings(threshold=0.025))
    assert strict.judgement.verdict == "regressed"


# What a round says.


def test_the_ratio_of_a_round_is_that_of_its_epochs_one_by_one():
    drifting = [0.1, 0.1, *(0.1 * 1.1**epoch for epoch in range(8))]
    slower = [0.1, 0.1, *(seconds * 1.03 for seconds in drifting[2:])]
    before, after = (sample(epoch_seconds=tuple(each)) for each in (drifting, slower))
    assert log_ratio(before, after, "wall") == pytest.approx(math.log(1.03))


def test_the_ratio_of_a_round_in_slices_is_that_of_the_stretch_that_counts():
    before = in_slices(
        epoch_seconds=(1.0, 0.5, 0.1, 0.3, 0.1, 9.0), counted=(0.0, 0.0, 1.0, 1.0, 0.5, 0.0)
    )
    after = in_slices(epoch_seconds=(9.0, 4.5, 0.2, 0.4), counted=(0.0, 0.0, 1.0, 1.0))
    expected = 0.3 / (0.45 / 2.5)
    assert log_ratio(before, after, "wall") == pytest.approx(math.log(expected))
    waiting = replace(after, epoch_cpu_seconds=(1.0, 1.0, 0.1, 0.5))
    steady = replace(before, epoch_cpu_seconds=(1.0, 1.0, 0.1, 0.1, 0.1, 0.1))
    assert log_ratio(steady, waiting, "cpu") == pytest.approx(math.log(3.0))


def test_the_first_epochs_do_not_count():
    before = sample(epoch_seconds=(1.0, 0.5, *[0.1] * 8))
    after = sample(epoch_seconds=(9.0, 4.5, *[0.1] * 8))
    assert log_ratio(before, after, "wall") == pytest.approx(0.0)


@pytest.mark.parametrize("stalled", ["baseline", "candidate"])
def test_an_epoch_that_stalled_is_trimmed_away(stalled):
    calm, disturbed = sample(0.1, epochs=10), sample(epoch_seconds=(1.1, *[0.1] * 8, 5.0))
    sides = (disturbed, calm) if stalled == "baseline" else (calm, disturbed)
    assert log_ratio(*sides, "wall") == pytest.approx(0.0)


def test_exchanging_the_sides_of_a_round_turns_its_sign():
    generator = np.random.default_rng(1)
    first, second = (
        sample(epoch_seconds=tuple(np.exp(generator.normal(-2, 0.1, 14)))) for _ in range(2)
    )
    there, back = log_ratio(first, second, "wall"), log_ratio(second, first, "wall")
    assert there != 0
    assert back == pytest.approx(-there)


def test_the_cpu_clock_is_read_where_it_is_the_metric():
    waiting = [
        sample(0.1 * math.exp(each), epoch_cpu_seconds=(0.05,) * 10, round=number)
        for number, each in enumerate(around(0.1, 2 * FIRST_LOOK), start=1)
    ]
    steady = [sample(0.1, epoch_cpu_seconds=(0.05,) * 10, round=each.round) for each in waiting]
    sides = side("baseline", *steady), side("candidate", *waiting)
    by_wall, by_cpu = only(*sides), only(*sides, settings=CPU)
    assert by_wall.judgement.verdict == "regressed"
    assert by_cpu.judgement.verdict == "unchanged"
    assert by_wall.baseline_epoch.value == pytest.approx(0.1)
    assert by_cpu.baseline_epoch.value == by_cpu.candidate_epoch.value == pytest.approx(0.05)


def test_a_drift_that_both_sides_share_is_in_no_ratio():
    generator = np.random.default_rng(2)
    values = generator.normal(0.0, 0.01, 18)
    drift = np.cumsum(generator.normal(0.02, 0.05, 18))
    baseline = side("baseline", *(0.1 * np.exp(drift)).tolist())
    candidate = side("candidate", *(0.1 * np.exp(drift + values)).tolist())
    drifting, steady = only(baseline, candidate).judgement, only(*two_sides(values)).judgement
    assert drifting.verdict == steady.verdict
    assert drifting.ratio.low == pytest.approx(steady.ratio.low)
    assert drifting.ratio.high == pytest.approx(steady.ratio.high)


# Which rounds count.


def test_a_round_that_one_side_lacks_does_not_count():
    values = [0.5, *around(0.0, FIRST_LOOK), 0.5]
    baseline, candidate = two_sides(values)
    first, last = 1, len(values)
    pair = only(
        rounds_of(baseline, *range(first + 1, last + 1)), rounds_of(candidate, *range(first, last))
    )
    assert pair.judgement.rounds == FIRST_LOOK
    assert pair.judgement.verdict == "unchanged"
    assert pair.left_out == ()
    assert pair.candidate_epoch.value == pytest.approx(0.1, rel=1e-3)


def test_rounds_are_matched_by_their_numbers_and_not_by_their_places():
    speeds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    baseline, candidate = side("baseline", *speeds), side("candidate", *speeds)
    pair = only(rounds_of(baseline, 1, 2, 3, 4, 6), rounds_of(candidate, 1, 3, 4, 5, 6))
    assert pair.judgement.rounds == 4
    assert pair.judgement.ratio.value == pytest.approx(1.0)


def test_without_a_round_there_are_no_epochs_either():
    pair = only(side("baseline", 0.1), side("candidate"))
    assert (pair.baseline_epoch, pair.candidate_epoch) == (None, None)
    assert pair.judgement.ratio is None
    assert pair.wanted


# A clock that jumps.

EPOCHS = (1.1, *[0.1] * 9)


@pytest.mark.parametrize("label", ["baseline", "candidate"])
@pytest.mark.parametrize(
    "jumped",
    [
        sample(epoch_seconds=(*EPOCHS[:5], -0.1, *EPOCHS[6:]), round=3),
        sample(epoch_seconds=(*EPOCHS[:5], 0.0, *EPOCHS[6:]), round=3),
        sample(epoch_seconds=EPOCHS, process_seconds=1.99, round=3),
    ],
    ids=["negative", "zero", "longer than the process"],
)
def test_a_round_in_which_the_clock_jumped_is_left_out_on_either_side(jumped, label):
    sides = [
        side(name, 0.1, 0.1, jumped if name == label else 0.1, *[0.1] * (FIRST_LOOK - 2))
        for name in ("baseline", "candidate")
    ]
    pair = only(*sides)
    assert pair.left_out == (LeftOut(3, "the clock jumped"),)
    assert pair.judgement.rounds == FIRST_LOOK
    assert pair.baseline_epoch.value == pytest.approx(0.1)


def test_a_process_may_be_all_epochs():
    whole = sample(epoch_seconds=EPOCHS, process_seconds=sum(EPOCHS), round=1)
    assert only(side("baseline", whole), side("candidate", whole)).left_out == ()


def test_a_cpu_clock_that_stood_still_matters_where_it_is_the_metric():
    still = sample(epoch_seconds=EPOCHS, epoch_cpu_seconds=(1.0, *[0.0] * 9), round=1)
    sides = side("baseline", still, 0.1), side("candidate", 0.1, 0.1)
    assert only(*sides).left_out == ()
    assert only(*sides, settings=CPU).left_out == (LeftOut(1, "the clock jumped"),)


def test_more_cpu_seconds_than_the_process_lasted_are_those_of_several_cores():
    parallel = sample(epoch_seconds=EPOCHS, epoch_cpu_seconds=tuple(8 * s for s in EPOCHS), round=1)
    sides = side("baseline", parallel), side("candidate", parallel)
    assert only(*sides, settings=CPU).left_out == ()


# Failures and parity.


@pytest.mark.parametrize("label", ["baseline", "candidate"])
def test_a_side_that_failed_ends_its_pair_and_keeps_what_was_measured(label):
    sides = [
        replace(each, failure=failure() if each.arm.environment.label == label else None)
        for each in two_sides(around(0.0, 3))
    ]
    pair = only(*sides)
    assert pair.failed
    assert not pair.wanted
    assert pair.judgement.rounds == 3
    assert pair.judgement.ratio.value == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("label", ["baseline", "candidate"])
def test_a_side_that_learns_something_else_is_not_measured(label):
    sides = [
        side(name, parity=DIFFERS if name == label else AGREES) for name in ("baseline", label)
    ]
    pair = only(*sides)
    assert pair.differs
    assert not pair.failed
    assert not pair.wanted


@pytest.mark.parametrize("parity", [AGREES, EXPLAINED, UNCHECKED], ids=lambda it: it.outcome)
def test_other_parity_keeps_no_pair_from_being_measured(parity):
    pair = only(side("baseline", parity=parity), side("candidate", parity=parity))
    assert not pair.differs
    assert pair.wanted
    assert all(map(is_sound, pair.sides))


def test_a_pair_is_wanted_until_its_judgement_is_final():
    values = around(0.0, FIRST_LOOK)
    wanted = [only(*two_sides(values[:rounds])).wanted for rounds in range(FIRST_LOOK + 1)]
    assert wanted == [True] * FIRST_LOOK + [False]


def test_the_epochs_are_those_of_all_rounds_that_count():
    values = [*around(0.2, FIRST_LOOK), *around(0.1, FIRST_LOOK)]
    pair = only(*two_sides(values))
    assert pair.judgement.ratio.value == pytest.approx(math.exp(0.1), rel=1e-3)
    assert math.log(pair.candidate_epoch.value / 0.1) == pytest.approx(fmean(values), abs=1e-3)
