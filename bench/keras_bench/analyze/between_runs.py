"""How far runs of one machine differ though nothing changed, and what that leaves of a difference.

Two runs are hours or months apart, and the machine isn't the same in both: another clock rate,
another neighbour on the host, another memory layout since the last boot. That change falls on all
processes of a run alike, so nothing within the two runs tells of it, and their own interval,
however narrow, calls every such change one of the software. It is a level of variance of its own
(T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013), and only repeated
runs tell how large it is: those of the history, on this machine, of the same arm.

The estimate is the variance of the runs around the mean of those with the same versions, pooled
over all versions. Runs that are compared aren't among them, so that the estimate knows nothing of
what it is to judge. A difference of two runs has twice that variance, and its interval is
Student's t with the estimate's degrees of freedom: that of a random-effects prediction (J. P. T.
Higgins, S. G. Thompson and D. J. Spiegelhalter, JRSS A 172, 2009, 137-159), here for a difference.
What a run of the history differs by holds the noise within it, too. Where the two compared
are noisier within than those were, by fewer processes, say, the rest is added, with the degrees of
freedom of both (F. E. Satterthwaite, Biometrics Bulletin 2, 1946, 110-114). Nothing is ever
subtracted, for of few runs the noise between them can't be told from that within; so the
interval is exact for equally careful runs, too wide where the compared ones are more careful, and
nowhere narrower than the one from within.

What it takes for granted: that the machine changed between the two as it did between those runs.
So a history of an afternoon says nothing about runs that are months apart, and a history counts
only when it reaches over as long as lies between the two. Even then a machine that wanders slowly
differs more over the whole length than the runs do on average
(`tests/simulation/test_between_runs.py` simulates how often that misleads). A workload file that
was changed while the versions stayed makes the estimate too large, which errs to the safe side.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import scipy

from keras_bench.analyze.history import LEAST_NOISE, HistoryRow, own_error
from keras_bench.analyze.stats import Difference, Estimate
from keras_bench.records import Method, Task

#: The least degrees of freedom, those of five runs of the same versions. With fewer, t is so wide
#: that it decides nothing, and an estimate that is tiny by chance isn't rare.
LEAST_FREEDOM = 4


@dataclass(frozen=True)
class Noise:
    """What the history tells of runs between which nothing changed.

    `variance` is that of a run's log(epoch), and `own_variance` the part of it that the runs' own
    intervals show. `freedom` is the number of runs less that of the versions they ran on, and
    `reach` the time that runs of the same versions lie apart, on average over `freedom`.
    """

    variance: float
    own_variance: float
    freedom: int
    reach: timedelta

    @property
    def is_known(self) -> bool:
        """Whether there are enough runs to say anything."""
        return self.freedom >= LEAST_FREEDOM

    @property
    def deviation(self) -> float:
        """The standard deviation of a run, as a share of its epoch."""
        return math.expm1(math.sqrt(self.variance))


def arm_rows(
    rows: Sequence[HistoryRow],
    *,
    fingerprint: str,
    workload: str,
    backend: str,
    threads: str,
    task: Task,
    loop: str,
    method: Method,
    without: Collection[str],
) -> tuple[HistoryRow, ...]:
    """Return the rows of one arm on one machine, without those of runs started at these times.

    Those of gates aren't among them: they are measured in another way.
    """
    wanted = (fingerprint, workload, backend, threads, task, loop, method)
    return tuple(
        row
        for row in rows
        if (
            row.fingerprint,
            row.workload,
            row.backend,
            row.threads,
            row.task,
            row.loop,
            row.method,
        )
        == wanted
        and row.kind == "run"
        and row.counts
        and row.started_utc not in without
    )


def noise(rows: Sequence[HistoryRow]) -> Noise:
    """Return how far runs of one arm differ that have the same versions."""
    groups: dict[tuple[object, ...], list[HistoryRow]] = {}
    for row in rows:
        groups.setdefault(_unchanged(row), []).append(row)
    freedom = len(rows) - len(groups)
    if freedom == 0:
        return Noise(0.0, 0.0, 0, timedelta())
    repeated = [group for group in groups.values() if len(group) > 1]
    squares = sum(
        (len(group) - 1) * float(np.var(np.log([row.epoch_seconds for row in group]), ddof=1))
        for group in repeated
    )
    own = [(own_error(row) or 0.0) ** 2 for group in repeated for row in group]
    reach = sum(((len(group) - 1) * _reach(group) for group in repeated), timedelta())
    return Noise(
        max(squares / freedom, LEAST_NOISE**2), sum(own) / len(own), freedom, reach / freedom
    )


def lasting(found: Difference, between: Noise, each_side: float) -> Estimate:
    """Return the ratio of two runs with an interval that holds the machine's own change, too.

    Args:
        found: log(candidate ÷ baseline), with what the two runs tell of its error.
        between: how far runs differ, which must be known.
        each_side: the chance that the interval lies above the true ratio, and that it lies below.
    """
    within = found.error**2
    parts = (
        (2 * between.variance, float(between.freedom)),
        (max(0.0, within - 2 * between.own_variance), found.freedom),
    )
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / its_freedom for part, its_freedom in parts)
    margin = max(
        float(scipy.stats.t.isf(each_side, freedom)) * math.sqrt(variance),
        float(scipy.stats.t.isf(each_side, found.freedom)) * found.error,
    )
    return Estimate(math.exp(found.log), math.exp(found.log - margin), math.exp(found.log + margin))


def apart(one_utc: str, other_utc: str) -> timedelta:
    """Return how long lies between two times."""
    return abs(datetime.fromisoformat(one_utc) - datetime.fromisoformat(other_utc))


def _unchanged(row: HistoryRow) -> tuple[object, ...]:
    """Return all that is recorded of what a run's times depend on."""
    return (
        row.python_version,
        row.keras_version,
        row.framework_version,
        row.numpy_version,
        row.keras_bench_version,
        row.examples,
        row.jit_compile,
        row.worker_cores,
    )


def _reach(rows: Sequence[HistoryRow]) -> timedelta:
    times = [row.started_utc for row in rows]
    return apart(min(times), max(times))
