"""The committed history goes on: what is measured today belongs to the series of before."""

from dataclasses import fields, replace

import pytest
from builders import MACHINE, arm, in_slices, sample
from project import PROJECT, linked_results

from keras_bench.analyze.history import HistoryRow, history_rows, key
from keras_bench.environments.specs import label_of
from keras_bench.records import ArmResult, Environment
from keras_bench.store.gates import load as load_gate
from keras_bench.store.history import load
from keras_bench.store.runs import load as load_run

#: What the rows are of: the same commands, run in the project, add those of its user.
COMMITTED = [
    *(load_run(file) for file in linked_results("README.md", "runs")),
    *(load_gate(file) for file in linked_results("docs/explanation/keras-releases.md", "gates")),
]

OLD = [
    row
    for row in load(PROJECT / "results" / "history.csv").rows
    if row.started_utc in {measured.started_utc for measured in COMMITTED}
]

#: What says on which software a row was measured.
SOFTWARE = [field.name for field in fields(HistoryRow) if field.name.endswith("_version")]


def measured_today(old: HistoryRow) -> HistoryRow:
    """Return the row of the same arm with the same versions, in an environment the suite made.

    It is measured by the same method: by another one it would be of another series.
    """
    measured = in_slices if old.method == "slices" else sample
    tensorflow = [("tensorflow", "tensorflow-cpu")] if old.backend == "tensorflow" else []
    environment = Environment(
        old.python_version,
        packages=(
            ("keras", old.keras_version),
            ("numpy", old.numpy_version),
            (old.backend, old.framework_version),
        ),
        label=label_of(f"keras=={old.keras_version}") if old.kind == "versions" else "",
        distributions=tuple(tensorflow),
    )
    same = arm(
        old.backend,
        old.workload,
        environment=environment,
        threads=old.threads,
        loop=old.loop,
        task=old.task,
    )
    (row,) = history_rows(
        [ArmResult(same, (measured(cpus=tuple(range(old.worker_cores))),))],
        started_utc="2026-12-24T00:00:00Z",
        machine=replace(MACHINE, fingerprint=old.fingerprint),
        kind=old.kind,
    )
    return row


def name(row: HistoryRow) -> str:
    return " ".join((row.workload, row.backend, row.label))


def test_there_are_rows_of_each_result():
    assert {row.kind for row in OLD} == {"run", "versions"}


@pytest.mark.parametrize("old", OLD, ids=map(name, OLD))
def test_an_equal_environment_goes_on_with_its_series(old: HistoryRow):
    new = measured_today(old)
    assert key(new) == key(old)
    for column in set(SOFTWARE) - {"schema_version", "keras_bench_version"}:
        assert getattr(new, column) == getattr(old, column)
