"""Rows of a history with plain defaults, of which a test names only what it is about."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from keras_bench.analyze.history import HistoryRow

START = datetime(2026, 1, 1, tzinfo=UTC)

ROW = HistoryRow(
    started_utc="2026-01-01T00:00:00Z",
    kind="run",
    fingerprint="0123abcd",
    workload="net",
    backend="jax",
    threads="default",
    loop="fit",
    worker_cores=2,
    epoch_seconds=0.05,
    epoch_seconds_low=0.0495,
    epoch_seconds_high=0.0505,
    epoch_cpu_seconds=0.08,
    first_epoch_seconds=0.63,
    import_seconds=1.6,
    build_seconds=0.07,
    peak_rss_bytes=382_898_176,
    examples=306,
    processes=7,
    epochs=234,
    parity="agrees",
    failed=False,
    jit_compile=True,
    python_version="3.11.7",
    keras_version="3.15.1",
    framework_version="0.10.2",
    numpy_version="2.4.6",
    keras_bench_version="0.1.0",
    commit="0123456789ab",
    cpu="Some CPU, 2.20GHz",
    usable_cores=2,
    system="Linux 6.1",
)


def history_row(**changes: Any) -> HistoryRow:
    return replace(ROW, **changes)


def started(run: int) -> str:
    """Return when a run was started, of which there is one every ten minutes."""
    return (START + run * timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")


def history_rows_of(logs: Sequence[float], **changes: Any) -> list[HistoryRow]:
    """Return a row per run, its epoch 50 ms times the exponential of a value."""
    return [
        history_row(
            **{
                "started_utc": started(run),
                "epoch_seconds": 0.05 * math.exp(log),
                "epoch_seconds_low": 0.05 * math.exp(log - 0.01),
                "epoch_seconds_high": 0.05 * math.exp(log + 0.01),
            }
            | changes
        )
        for run, log in enumerate(logs)
    ]
