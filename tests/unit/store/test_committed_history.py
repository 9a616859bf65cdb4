"""The committed history goes on: what is measured today belongs to the series of before."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from builders import MACHINE, arm, sample

from keras_bench.analyze.history import HistoryRow, history_rows, key
from keras_bench.environments.specs import label_of
from keras_bench.records import ArmResult, Environment
from keras_bench.store.history import load

OLD = load(Path(__file__).parents[3] / "results" / "history.csv").rows

#: What says on which software a row was measured.
SOFTWARE = [field.name for field in fields(HistoryRow) if field.name.endswith("_version")]


def measured_today(old: HistoryRow) -> HistoryRow:
    """Return the row of the same arm with the same versions, in an environment the suite made."""
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
        [ArmResult(same, (sample(cpus=tuple(range(old.worker_cores))),))],
        started_utc="2026-12-24T00:00:00Z",
        machine=replace(MACHINE, fingerprint=old.fingerprint),
        kind=old.kind,
    )
    return row


def name(row: HistoryRow) -> str:
    return " ".join((row.workload, row.backend, row.label))


@pytest.mark.parametrize("old", OLD, ids=map(name, OLD))
def test_an_equal_environment_goes_on_with_its_series(old: HistoryRow):
    new = measured_today(old)
    assert key(new) == key(old)
    for column in set(SOFTWARE) - {"schema_version", "keras_bench_version"}:
        assert getattr(new, column) == getattr(old, column)
