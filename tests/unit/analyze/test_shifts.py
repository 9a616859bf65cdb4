import math
from itertools import pairwise

import numpy as np
import pytest
from histories import only_series, steady, stepped
from history_builders import history_rows_of, started
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bench.analyze.shifts import LEAST_RUNS, WINDOW, find_series, find_shifts


def test_steps_back_are_found_too():
    generator = np.random.default_rng(3)
    logs = stepped(generator, 0.0, 0.15, 0.0, -0.15, runs=15)
    assert find_shifts(logs) == [15, 30, 45]


@pytest.mark.parametrize("outlier", [0.2, 2.0, -0.2, -2.0])
def test_a_single_run_is_no_level_wherever_it_is(outlier):
    for place in range(30):
        logs = steady(np.random.default_rng(20), 30)
        logs[place] += outlier
        assert find_shifts(logs) == []


@pytest.mark.parametrize("place", [0, 5, 10, 20, 25])
def test_five_runs_are_a_level_wherever_they_are(place):
    logs = steady(np.random.default_rng(20), 30)
    logs[place : place + LEAST_RUNS] += 0.3
    assert find_shifts(logs) == [each for each in (place, place + LEAST_RUNS) if 0 < each < 30]


@pytest.mark.parametrize("runs", range(1, 2 * LEAST_RUNS))
def test_too_few_runs_for_two_levels_are_one(runs):
    logs = steady(np.random.default_rng(0), runs)
    logs[runs // 2 :] += 1.0
    assert len(only_series(logs).levels) == 1


def test_equal_runs_are_one_level():
    assert find_shifts(np.zeros(50)) == []


def test_a_step_between_equal_runs_is_found():
    assert find_shifts(np.repeat([0.0, 0.05], 10)) == [10]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    runs=st.lists(st.integers(8, 40), min_size=1, max_size=6),
    factor=st.floats(1e-3, 1e3),
)
def test_levels_are_those_of_any_unit_and_either_direction(seed, runs, factor):
    """Every level is long enough, and times in other units, or backwards, shift where they did."""
    generator = np.random.default_rng(seed)
    levels = np.cumsum(generator.choice([-0.3, 0.3], len(runs)))
    logs = np.repeat(levels, runs) + steady(generator, sum(runs))
    places = find_shifts(logs)
    edges = [0, *places, len(logs)]
    assert min(end - start for start, end in pairwise(edges)) >= LEAST_RUNS
    assert find_shifts(logs + math.log(factor)) == places
    assert find_shifts(-logs) == places


def test_a_series_longer_than_a_window_shifts_where_it_does_in_a_short_one():
    """Levels shorter and longer than a window, one of them on its edge."""
    runs = [WINDOW // 4, WINDOW * 3 // 4, 3 * WINDOW, 10, 10, WINDOW // 2, LEAST_RUNS]
    levels = [0.0, 0.1, 0.2, 0.1, 0.0, 0.1, 0.3]
    generator = np.random.default_rng(4)
    logs = np.repeat(levels, runs) + generator.normal(0, 0.01, sum(runs))
    assert find_shifts(logs) == np.cumsum(runs)[:-1].tolist()


def test_no_place_falls_between_two_windows():
    places = [
        edge * WINDOW // 4 + beside for edge in range(1, 8) for beside in range(-LEAST_RUNS, 6)
    ]
    for place in places:
        logs = steady(np.random.default_rng(0), 2 * WINDOW, 0.01)
        logs[place:] += 0.1
        assert find_shifts(logs) == [place]


def test_runs_count_for_no_more_than_their_own_intervals_allow():
    """Where each run is known to no better than 20 %, equal ones are so by chance."""
    logs = np.repeat([0.0, 0.03], LEAST_RUNS)
    wide = {"epoch_seconds_low": 0.04, "epoch_seconds_high": 0.06}
    assert len(only_series(logs).levels) == 2
    assert len(only_series(logs, **wide).levels) == 1


def test_levels_shifts_and_rows_fit_each_other():
    logs = stepped(np.random.default_rng(7), 0.0, 0.2, -0.1, runs=12)
    rows = history_rows_of(logs)
    (series,) = find_series(rows)
    assert [row for level in series.levels for row in level.rows] == rows
    assert len(series.shifts) == 2
    for shift, (before, after) in zip(series.shifts, pairwise(series.levels), strict=True):
        assert (shift.before, shift.after) == (before.rows[-1], after.rows[0])
        assert shift.ratio.value == pytest.approx(
            after.epoch_seconds.value / before.epoch_seconds.value
        )
        assert shift.ratio.low < shift.ratio.value < shift.ratio.high
    assert [level.epoch_seconds.value for level in series.levels] == pytest.approx(
        [0.05, 0.05 * math.exp(0.2), 0.05 * math.exp(-0.1)], rel=0.02
    )


def test_one_run_is_a_level_with_an_interval_of_its_own():
    (row,) = history_rows_of([0.0])
    (series,) = find_series([row])
    (level,) = series.levels
    assert level.epoch_seconds.low == row.epoch_seconds_low
    assert level.epoch_seconds.high == row.epoch_seconds_high


def test_a_newest_run_beyond_the_noise_is_a_warning_and_no_level():
    logs = steady(np.random.default_rng(9), 20)
    logs[-1] = 0.2
    series = only_series(logs)
    assert len(series.levels) == 1
    assert [row.started_utc for row in series.stray.rows] == [started(19)]
    expected = series.stray.expected
    assert expected.low < 0.05 < expected.high < series.stray.rows[0].epoch_seconds


@pytest.mark.parametrize("count", range(1, LEAST_RUNS - 1))
def test_newest_runs_in_a_row_that_are_no_level_are_told_together(count):
    logs = steady(np.random.default_rng(9), 20)
    logs[5] = 0.2
    logs[-count:] = 0.2
    series = only_series(logs)
    assert len(series.levels) == 1
    assert [row.started_utc for row in series.stray.rows] == [
        started(run) for run in range(20 - count, 20)
    ]


def test_a_newest_run_is_compared_with_the_newest_level():
    logs = stepped(np.random.default_rng(10), 0.0, 0.3, runs=10)
    logs[-1] = 0.0
    series = only_series(logs)
    assert len(series.levels) == 2
    assert series.stray is not None
    logs[-1] = 0.3
    assert only_series(logs).stray is None


@pytest.mark.parametrize("runs", range(1, LEAST_RUNS + 1))
def test_a_level_of_few_runs_does_not_tell_what_was_to_be_expected(runs):
    logs = np.zeros(runs)
    logs[-1] = 5.0
    assert only_series(logs).stray is None


def changed_at(place, runs=20, step=0.2, noise=0.005, **changes):
    """Return a series that shifts at 10, and in which something changes at a place."""
    logs = np.repeat([0.0, step], runs // 2) + steady(np.random.default_rng(12), runs, noise)
    rows = history_rows_of(logs)
    later = history_rows_of(logs, **changes)
    (series,) = find_series(rows[:place] + later[place:])
    (shift,) = series.shifts
    return shift.changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keras_version": "3.16.0"}, ("keras 3.15.1 → 3.16.0",)),
        ({"framework_version": "0.11.0"}, ("jax 0.10.2 → 0.11.0",)),
        ({"numpy_version": ""}, ("numpy 2.4.6 → none",)),
        ({"python_version": "3.13.0"}, ("Python 3.11.7 → 3.13.0",)),
        ({"keras_bench_version": "1.0"}, ("keras-bench 0.1.0 → 1.0",)),
        ({"examples": 612}, ("examples 306 → 612",)),
        ({"jit_compile": False}, ("jit_compile True → False",)),
        (
            {"keras_version": "3.16.0", "numpy_version": "2.5.0"},
            ("keras 3.15.1 → 3.16.0", "numpy 2.4.6 → 2.5.0"),
        ),
        ({"commit": "ffff", "kind": "gate", "peak_rss_bytes": 1}, ()),
    ],
)
def test_a_shift_says_what_changed_with_it(changes, said):
    assert changed_at(10, **changes) == said


def test_a_change_one_run_beside_a_shift_is_told_with_its_place():
    assert changed_at(9, keras_version="4.0") == ("keras 3.15.1 → 4.0 one run earlier",)
    assert changed_at(11, keras_version="4.0") == ("keras 3.15.1 → 4.0 one run later",)
    assert changed_at(8, keras_version="4.0") == ()
    assert changed_at(12, keras_version="4.0") == ()


def test_another_machine_is_another_series_and_never_a_shift():
    old, new = np.zeros(10), np.full(10, 1.0)
    rows = history_rows_of(np.concatenate([old, new]))
    moved = history_rows_of(np.concatenate([old, new]), fingerprint="89abcdef")
    series = find_series(rows[:10] + moved[10:])
    assert [each.key.fingerprint for each in series] == ["0123abcd", "89abcdef"]
    assert [each.shifts for each in series] == [(), ()]


def test_a_baseline_measured_again_is_no_shift_of_the_candidate():
    rows = history_rows_of(np.full(20, 0.5), label="candidate")
    again = history_rows_of(np.zeros(20), label="baseline")
    mixed = [row for pair in zip(again, rows, strict=True) for row in pair]
    series = find_series(mixed)
    assert [each.key.label for each in series] == ["baseline", "candidate"]
    assert [each.shifts for each in series] == [(), ()]


def test_rows_of_any_order_are_sorted_by_time():
    rows = history_rows_of(stepped(np.random.default_rng(13), 0.0, 0.2))
    shuffled = [rows[place] for place in np.random.default_rng(14).permutation(len(rows))]
    assert find_series(shuffled) == find_series(rows)


def test_runs_that_do_not_count_are_counted_and_left_out():
    logs = np.zeros(20)
    logs[10:] = 1.0
    rows = history_rows_of(logs)
    failed = history_rows_of(logs, failed=True)
    odd = history_rows_of(logs, parity="differs")
    (series,) = find_series(rows[:10] + failed[10:15] + odd[15:])
    assert (len(series.levels), series.left_out, series.stray) == (1, 10, None)
    (series,) = find_series(failed)
    assert (series.levels, series.shifts, series.left_out) == ((), (), 20)


def test_a_history_without_rows_has_no_series():
    assert find_series([]) == ()
