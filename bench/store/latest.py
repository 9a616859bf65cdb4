"""The tables of a run as `latest.md`, `latest.csv` and `latest.json`."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd

from bench.analyze.answer import answer, ending
from bench.analyze.comparison import Table
from bench.records import Run
from bench.report.columns import record
from bench.report.markdown import document
from bench.store.files import write_atomically
from bench.store.runs import run_file


def save(run: Run, tables: Sequence[Table], results: Path) -> None:
    """Write the three files, each whole or not at all; raise ResultsUnwritable or DiskFull."""
    records = [record(row, run.complete) for table in tables for row in table.rows]
    # Whole numbers with gaps stay whole numbers only with pandas' own types.
    frame = pd.DataFrame(records).convert_dtypes()
    write_atomically(results / "latest.md", document(run, tables))
    write_atomically(results / "latest.csv", frame.to_csv(index=False))
    write_atomically(results / "latest.json", json.dumps(_as_json(run, tables), indent=1) + "\n")


def _as_json(run: Run, tables: Sequence[Table]) -> dict[str, object]:
    return {
        "run": run_file(run, Path()).as_posix(),
        "started_utc": run.started_utc,
        "complete": run.complete,
        "ending": ending(run, tables),
        "machine": msgspec.to_builtins(run.machine),
        "settings": msgspec.to_builtins(run.settings),
        "tables": [
            {
                "workload": table.workload,
                "answer": answer(table),
                "rows": [
                    {
                        **record(row, run.complete),
                        "process_epoch_seconds": row.figures and row.figures.process_epoch_seconds,
                    }
                    for row in table.rows
                ],
            }
            for table in tables
        ],
    }
