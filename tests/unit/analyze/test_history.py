import pytest
from builders import DIFFERS, ENVIRONMENT, EXPLAINED, MACHINE, arm, failure, result, sample
from history_builders import history_row

from keras_bench.analyze.history import history_rows, key, selected
from keras_bench.records import ArmResult, Environment


def rows_of(*results):
    return history_rows(
        results, started_utc="2026-01-02T03:04:05Z", machine=MACHINE, kind="versions", commit="ab1"
    )


def test_each_arm_with_samples_is_a_row():
    rows = rows_of(result("jax", 0.1), result("torch"), result("tensorflow", 0.2, 0.2))
    assert [(row.backend, row.processes) for row in rows] == [("jax", 1), ("tensorflow", 2)]
    assert {(row.kind, row.commit) for row in rows} == {("versions", "ab1")}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"parity": EXPLAINED}, True),
        ({"parity": DIFFERS}, False),
        ({"failure": failure()}, False),
    ],
)
def test_what_failed_or_learned_something_else_does_not_count(changes, counts):
    (row,) = rows_of(result("jax", 0.1, **changes))
    assert row.counts is counts


def test_an_arm_of_an_environment_that_lacks_a_package_has_no_version_of_it():
    bare = arm("jax", environment=Environment("3.12.0", ()), threads="single")
    (row,) = rows_of(ArmResult(bare, (sample(),)))
    assert (row.keras_version, row.framework_version, row.numpy_version) == ("", "", "")
    assert (row.python_version, row.threads) == ("3.12.0", "single")


@pytest.mark.parametrize(
    "changes",
    [
        {"workload": "other"},
        {"backend": "torch"},
        {"threads": "single"},
        {"loop": "steps"},
        {"worker_cores": 1},
        {"label": "baseline"},
        {"fingerprint": "89abcdef"},
    ],
)
def test_what_is_measured_elsewise_is_not_compared(changes):
    assert key(history_row(**changes)) != key(history_row())


@pytest.mark.parametrize(
    "changes",
    [
        {"keras_version": "3.16.0"},
        {"framework_version": "1.0"},
        {"python_version": "3.13.0"},
        {"kind": "gate"},
        {"started_utc": "2027-01-01T00:00:00Z"},
        {"examples": 1},
    ],
)
def test_what_may_explain_a_shift_is_compared(changes):
    assert key(history_row(**changes)) == key(history_row())


def test_the_label_of_an_environment_and_the_cores_of_the_worker_are_the_rows():
    labelled = Environment(ENVIRONMENT.python_version, ENVIRONMENT.packages, "baseline")
    (row,) = rows_of(ArmResult(arm("jax", environment=labelled), (sample(cpus=(3,)),)))
    assert (row.label, row.worker_cores) == ("baseline", 1)


def test_rows_are_selected_by_workload_and_backend():
    rows = [history_row(workload=name, backend=to) for name in "ab" for to in ("jax", "torch")]
    assert selected(rows) == tuple(rows)
    assert selected(rows, workloads=["a"]) == tuple(rows[:2])
    assert selected(rows, backends=["torch"]) == (rows[1], rows[3])
    assert selected(rows, workloads=["b"], backends=["jax"]) == (rows[2],)
    assert selected(rows, workloads=["c"]) == ()
