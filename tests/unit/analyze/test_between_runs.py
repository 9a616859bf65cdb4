import math
from datetime import timedelta

import pytest
from history_builders import history_row, history_rows_of, started

from keras_bench.analyze.between_runs import LEAST_FREEDOM, Noise, apart, arm_rows, lasting, noise
from keras_bench.analyze.history import LEAST_NOISE
from keras_bench.analyze.stats import Difference

ARM = {
    "fingerprint": "0123abcd",
    "workload": "net",
    "backend": "jax",
    "threads": "default",
    "task": "train",
    "loop": "fit",
    "method": "turns",
}
EACH_SIDE = 0.025


def known(deviation=0.02, freedom=10, own=0.0):
    return Noise(deviation**2, own**2, freedom, timedelta(days=1))


def test_the_variance_is_that_around_the_mean_of_each_set_of_versions():
    older = history_rows_of([0.0, 0.02, 0.04])
    newer = history_rows_of([1.0, 1.02], keras_version="3.16.0")
    found = noise([*older, *newer])
    assert found.freedom == 3
    assert found.variance == pytest.approx((0.02**2 * 2 + 2 * 0.01**2) / 3)


@pytest.mark.parametrize(
    "change",
    [
        {"python_version": "3.12.1"},
        {"keras_version": "3.16.0"},
        {"framework_version": "0.11.0"},
        {"numpy_version": "2.5.0"},
        {"keras_bench_version": "0.2.0"},
        {"examples": 612},
        {"jit_compile": False},
        {"worker_cores": 1},
    ],
    ids=str,
)
def test_what_changed_is_no_noise(change):
    found = noise([*history_rows_of([0.0, 0.01]), *history_rows_of([1.0], **change)])
    assert found.freedom == 1
    assert found.deviation == pytest.approx(0.01 / math.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rows", [[], history_rows_of([0.0])], ids=["none", "one"])
def test_nothing_repeated_tells_nothing(rows):
    found = noise(rows)
    assert (found.freedom, found.reach, found.is_known) == (0, timedelta(), False)


def test_the_least_that_tells_is_five_runs_of_the_same_versions():
    logs = [0.0, 0.01, -0.01, 0.02, 0.0]
    assert noise(history_rows_of(logs)).is_known
    assert not noise(history_rows_of(logs[:-1])).is_known
    assert LEAST_FREEDOM == 4


def test_runs_that_are_equal_by_chance_are_not_without_noise():
    assert noise(history_rows_of([0.0] * 6)).variance == LEAST_NOISE**2


def test_the_noise_within_runs_is_what_their_intervals_show():
    rows = [history_row(started_utc=started(run), processes=7) for run in range(5)]
    half = math.log(0.0505 / 0.0495) / 2
    assert noise(rows).own_variance == pytest.approx((half / 2.776445) ** 2, rel=1e-5)


def test_a_run_without_an_interval_shows_no_noise_within():
    rows = history_rows_of([0.0, 0.01], epoch_seconds_low=None, epoch_seconds_high=None)
    assert noise(rows).own_variance == 0


def test_the_reach_is_that_of_the_versions_that_tell_most():
    older = history_rows_of([0.0] * 11)  # ten minutes each
    newer = history_rows_of([0.0] * 3, keras_version="3.16.0")
    found = noise([*older, *newer])
    assert found.reach == (10 * timedelta(minutes=100) + 2 * timedelta(minutes=20)) / 12


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "other"},
        {"workload": "other"},
        {"backend": "torch"},
        {"threads": "single"},
        {"task": "predict"},
        {"loop": "other"},
        {"method": "slices"},
        {"kind": "gate"},
        {"failed": True},
        {"parity": "differs"},
        {"started_utc": started(7)},
    ],
    ids=str,
)
def test_only_runs_of_the_arm_that_count_and_are_not_compared_tell(change):
    other = history_row(**change)
    assert arm_rows([history_row(), other], **ARM, without={started(7)}) == (history_row(),)


def test_the_interval_is_exact_for_a_hand_worked_example():
    found = lasting(Difference(0.1, 0.0, math.inf), known(0.02, 10), EACH_SIDE)
    assert found.value == pytest.approx(math.exp(0.1))
    margin = 2.228139 * 0.02 * math.sqrt(2)
    assert (found.low, found.high) == pytest.approx(
        (math.exp(0.1 - margin), math.exp(0.1 + margin)), rel=1e-6
    )


def test_only_more_noise_within_than_the_history_has_is_added():
    calm = lasting(Difference(0.0, 0.01, 8), known(0.02, 10, own=0.01), EACH_SIDE)
    assert calm == lasting(Difference(0.0, 0.0, 8), known(0.02, 10, own=0.01), EACH_SIDE)
    loud = lasting(Difference(0.0, 0.05, 8), known(0.02, 10, own=0.01), EACH_SIDE)
    assert loud.high > calm.high
    variance = 2 * 0.02**2 + 0.05**2 - 2 * 0.01**2
    assert math.log(loud.high) > 1.96 * math.sqrt(variance)


def test_the_interval_is_never_narrower_than_that_of_the_runs_alone():
    error = 0.05
    alone = 2.306004 * error  # Student's t with 8 degrees of freedom
    found = lasting(Difference(0.0, error, 8), known(1e-3, 1000, own=0.2), EACH_SIDE)
    assert math.log(found.high) == pytest.approx(alone, rel=1e-6)


def test_the_time_between_two_runs_has_no_sign():
    assert apart(started(0), started(6)) == apart(started(6), started(0)) == timedelta(hours=1)
