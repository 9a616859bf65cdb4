import math

import pytest
from builders import DIFFERS, FIRST_LOOK, around, failure, gate, sample, side, two_sides

from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.stats import centre
from keras_bench.analyze.sweep import sweep
from keras_bench.records import GateSettings

CPU = GateSettings(metric="cpu")


def speeds(log, rounds=FIRST_LOOK):
    return [0.1 * math.exp(each) for each in around(log, rounds)]


def test_every_arm_has_a_row_in_order():
    arms = [side(label, workload=name) for name in ("one", "two") for label in ("1.0", "1.1")]
    assert [row.result for row in sweep(gate(*arms))] == arms


def test_each_is_compared_with_the_first_and_with_the_one_before():
    logs = (0.0, 0.1, 0.3)
    known = gate(*[side(f"1.{place}", *speeds(log)) for place, log in enumerate(logs)])
    first, second, third = sweep(known)
    assert (first.is_first, first.to_first, first.pair) == (True, None, None)
    assert not second.is_first
    assert math.log(second.to_first.value) == pytest.approx(0.1, abs=2e-3)
    assert math.log(third.to_first.value) == pytest.approx(0.3, abs=2e-3)
    assert (second.pair, third.pair) == pairs(known)
    assert math.log(third.pair.judgement.ratio.value) == pytest.approx(0.2, abs=2e-3)


def test_the_interval_to_the_first_is_that_of_the_rounds_at_hand():
    logs = [0.1, 0.12, 0.09, 0.11]
    _, row = sweep(gate(*two_sides(logs)))
    expected = centre([math.exp(each) for each in logs])
    assert row.to_first.value == pytest.approx(expected.value)
    assert (row.to_first.low, row.to_first.high) == pytest.approx((expected.low, expected.high))


def test_the_epoch_is_that_of_all_processes():
    first, second = sweep(gate(*two_sides([math.log(2)] * 3)))
    assert (first.epoch.value, second.epoch.value) == pytest.approx((0.1, 0.2))
    by_cpu = sweep(gate(*two_sides([math.log(2)] * 3), settings=CPU))
    assert [row.epoch.value for row in by_cpu] == pytest.approx([0.2, 0.4])


def test_the_clock_of_the_ratios_is_that_of_the_metric():
    idle = [sample(0.2, epoch_cpu_seconds=(0.05,) * 10, round=each) for each in (1, 2)]
    busy = [sample(0.1, epoch_cpu_seconds=(0.1,) * 10, round=each) for each in (1, 2)]
    sides = side("1.0", *idle), side("1.1", *busy)
    _, by_wall = sweep(gate(*sides))
    _, by_cpu = sweep(gate(*sides, settings=CPU))
    assert (by_wall.to_first.value, by_cpu.to_first.value) == pytest.approx((0.5, 2.0))


def test_workloads_and_backends_have_a_first_of_their_own():
    arms = [
        side(label, *speeds(log), workload=workload, backend=backend)
        for workload, backend, log in (
            ("one", "jax", 0.1),
            ("two", "jax", 0.2),
            ("one", "torch", 1),
        )
        for label in ("1.0", "1.1")
    ]
    rows = sweep(gate(*arms))
    assert [row.is_first for row in rows] == [True, False] * 3
    assert [row.to_first.value for row in rows[1::2]] == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("odd", [{"failure": failure()}, {"parity": DIFFERS}], ids=str)
def test_the_first_is_the_first_that_could_be_measured(odd):
    known = gate(side("1.0", **odd), side("1.1", *speeds(0.0)), side("1.2", *speeds(0.1)))
    missing, first, later = sweep(known)
    assert (missing.epoch, missing.is_first, missing.to_first) == (None, False, None)
    assert first.is_first
    assert math.log(later.to_first.value) == pytest.approx(0.1, abs=2e-3)
    assert later.pair.baseline is known.results[1]


def test_one_that_fails_later_keeps_what_was_measured():
    known = gate(side("1.0", *speeds(0.0)), side("1.1", *speeds(0.1, 3), failure=failure()))
    _, row = sweep(known)
    assert math.log(row.to_first.value) == pytest.approx(0.1, abs=2e-3)
    assert row.pair.failed


def test_without_a_round_that_both_have_there_is_no_ratio():
    known = gate(side("1.0", sample(0.1, round=1)), side("1.1", sample(0.1, round=2)))
    _, row = sweep(known)
    assert (row.is_first, row.to_first) == (False, None)
    assert row.epoch.value == pytest.approx(0.1)


def test_rounds_that_a_gate_would_not_count_are_in_no_ratio():
    sound = [sample(0.1, round=each) for each in (1, 2, 3)]
    odd = [*sound[:2], sample(epoch_seconds=(0.9, -0.9, 0.9), round=3)]
    _, row = sweep(gate(side("1.0", *sound), side("1.1", *odd)))
    assert row.to_first.value == pytest.approx(1.0)
    assert [each.round for each in row.pair.left_out] == [3]


def test_epochs_in_which_the_clock_jumped_are_in_no_figure():
    jumped = sample(epoch_seconds=(1.1, -0.1, *[-0.1] * 8), round=2)
    first, row = sweep(gate(side("1.0", 0.1, jumped), side("1.1", 0.1, 0.1)))
    assert first.epoch.value == row.epoch.value == pytest.approx(0.1)
    assert row.to_first.value == pytest.approx(1.0)
    only, _ = sweep(gate(side("1.0", sample(epoch_seconds=(-1.0,) * 9)), side("1.1", 0.1)))
    assert only.epoch is None
