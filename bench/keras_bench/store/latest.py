"""The tables of a run as `latest.md`, `latest.csv` and `latest.json`, and the last one back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.comparison import Table
from keras_bench.analyze.history import Positive, UtcTime
from keras_bench.analyze.measured import MeasuredArm, MeasuredRun, recorded_environment
from keras_bench.errors import NothingMeasured
from keras_bench.records import (
    SCHEMA_VERSION,
    UNCHECKED,
    Arm,
    Failure,
    Machine,
    Method,
    Parity,
    ParityOutcome,
    Run,
    Task,
)
from keras_bench.report.columns import record
from keras_bench.report.markdown import document
from keras_bench.report.visible import no_formula, visible
from keras_bench.store.files import alone_in, write_file
from keras_bench.store.runs import run_file


def save(run: Run, tables: Sequence[Table], results: Path) -> None:
    """Write the three files, each whole or not at all, and all of one run.

    Raises:
        DiskFull, ResultsUnwritable: one can't be written.
    """
    import pandas as pd

    records = [
        {name: in_cell(value) for name, value in record(row, run.complete).items()}
        for table in tables
        for row in table.rows
    ]
    # Whole numbers with gaps stay whole numbers only with pandas' own types.
    frame = pd.DataFrame(records).convert_dtypes()
    with alone_in(results):
        write_file(results / "latest.md", document(run, tables))
        write_file(results / "latest.csv", frame.to_csv(index=False))
        write_file(results / "latest.json", json.dumps(_as_json(run, tables), indent=1) + "\n")


def in_cell(value: object) -> object:
    """Return a value as a cell of a CSV file has it."""
    return no_formula(visible(value)) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class _Row:
    """What is read back of a row; the defaults are for files from before it was written."""

    workload: str
    backend: str
    threads: str
    task: Task = "train"
    loop: str
    failure: str | None
    failure_exit_code: int | None = None
    unsupported: bool = False
    parity: ParityOutcome = UNCHECKED.outcome
    parity_summary: str = UNCHECKED.summary
    epoch_seconds: Positive | None
    examples_per_second: Positive | None
    process_epoch_seconds: tuple[Positive, ...] | None
    method: Method | None = "turns"
    python_version: str
    framework_version: str | None
    keras_version: str | None
    numpy_version: str | None


def from_document(document: Mapping[str, Any], source: str) -> MeasuredRun:
    """Return what comparing needs of the run that a `latest.json` holds."""
    version = document.get("schema_version", 1)
    if version != SCHEMA_VERSION:
        raise TypeError(f"schema version {version!r}, and this is {SCHEMA_VERSION}")
    rows = [row for table in document["tables"] for row in table["rows"]]
    return MeasuredRun(
        source,
        msgspec.convert(document["started_utc"], UtcTime),
        msgspec.convert(document["machine"], Machine),
        msgspec.convert(document["settings"]["threads"], str),
        msgspec.convert(document["complete"], bool),
        tuple(_arm(msgspec.convert(row, _Row)) for row in rows),
    )


def _arm(row: _Row) -> MeasuredArm:
    examples = None
    if row.examples_per_second is not None and row.epoch_seconds is not None:
        examples = round(row.examples_per_second * row.epoch_seconds)
    failure = None
    if row.failure is not None and not row.unsupported:
        code = row.failure_exit_code
        failure = Failure(0, row.failure, NothingMeasured.exit_code if code is None else code)
    return MeasuredArm(
        workload=row.workload,
        backend=row.backend,
        threads=row.threads,
        loop=row.loop,
        environment=recorded_environment(
            row.backend,
            python=row.python_version,
            framework=row.framework_version,
            keras=row.keras_version,
            numpy=row.numpy_version,
        ),
        process_epoch_seconds=row.process_epoch_seconds or (),
        examples=examples,
        failure=failure,
        parity=Parity(row.parity, row.parity_summary),
        task=row.task,
        method=row.method or "turns",
    )


def _as_json(run: Run, tables: Sequence[Table]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run_file(run, Path()).as_posix(),
        "started_utc": run.started_utc,
        "complete": run.complete,
        "ending": ending(run, tables),
        "machine": msgspec.to_builtins(run.machine),
        "settings": msgspec.to_builtins(run.settings),
        "tables": [
            {
                "workload": table.workload,
                "answer": " ".join(answers(table)),
                "rows": [
                    {
                        **record(row, run.complete),
                        "failure_exit_code": _failure_exit_code(run, row.arm),
                        "process_epoch_seconds": row.figures and row.figures.process_epoch_seconds,
                        "method": row.figures and row.figures.method,
                    }
                    for row in table.rows
                ],
            }
            for table in tables
        ],
    }


def _failure_exit_code(run: Run, arm: Arm) -> int | None:
    failure = next(result.failure for result in run.results if result.arm == arm)
    return None if failure is None else failure.exit_code
