"""Two stored runs and the history between them, as a machine makes them that changes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from builders import AGREES, MACHINE
from history_builders import history_row, started

from keras_bench.analyze.history import HistoryRow
from keras_bench.analyze.measured import MeasuredArm, MeasuredRun, recorded_environment

#: How far processes of one run differ.
WITHIN = 0.03


def measured_arm(backend: str = "jax", *processes: float, **changes: Any) -> MeasuredArm:
    defaults = {
        "workload": "net",
        "backend": backend,
        "threads": "default",
        "loop": "fit",
        "environment": recorded_environment(
            backend, python="3.11.7", framework="0.10.2", keras="3.15.1", numpy="2.4.6"
        ),
        "process_epoch_seconds": processes,
        "examples": 306,
        "failure": None,
        "parity": AGREES,
    }
    return MeasuredArm(**defaults | changes)


def measured_run_of(*arms: MeasuredArm, **changes: Any) -> MeasuredRun:
    defaults = {
        "source": "before",
        "started_utc": started(0),
        "machine": MACHINE,
        "threads": "default",
        "complete": True,
        "arms": arms,
    }
    return MeasuredRun(**defaults | changes)


def processes_of(
    level: float, count: int, generator: np.random.Generator, within: float = WITHIN
) -> tuple[float, ...]:
    """Return the epochs of processes around the logarithm of a level."""
    return tuple(0.05 * np.exp(level + generator.normal(0, within, count)))


def rows_around(
    levels: Sequence[float],
    generator: np.random.Generator,
    count: int = 7,
    within: float = WITHIN,
    **changes: Any,
) -> list[HistoryRow]:
    """Return a row for each level, by so many processes around it."""
    # As trimmed and winsorized: close enough to what so many processes come to.
    error = within / math.sqrt(count)
    margin = 2.78 * error
    return [
        history_row(
            **{
                "started_utc": started(run),
                "epoch_seconds": 0.05 * math.exp(centre),
                "epoch_seconds_low": 0.05 * math.exp(centre - margin),
                "epoch_seconds_high": 0.05 * math.exp(centre + margin),
                "processes": count,
            }
            | changes
        )
        for run, centre in enumerate(levels + generator.normal(0, error, len(levels)))
    ]
