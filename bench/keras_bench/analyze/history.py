"""What a history holds: a row for each arm that a run measured, and what may be compared of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal

import scipy
from msgspec import Meta

from keras_bench import __version__
from keras_bench.analyze.stats import CONFIDENCE_LEVEL, TRIM, centre
from keras_bench.analyze.steady import (
    process_epoch_seconds,
    process_epochs_by,
    steady_count,
    with_starts,
)
from keras_bench.records import ArmResult, Machine, Method, ParityOutcome, Task, contender
from keras_bench.soundness import TIME

#: Raised with every change of the columns, whose names, order and meaning it stands for.
HISTORY_SCHEMA_VERSION = 3

#: The command that measured.
Kind = Literal["run", "gate", "versions"]

#: No epoch is known better than this, however equal a few of them are by chance.
LEAST_NOISE = 1e-3

#: More than any time, or speed, that is measured.
MOST = 1e15

#: No time is 0, less, infinite or NaN.
Positive = Annotated[float, Meta(gt=0, le=MOST)]
NotNegative = Annotated[float, Meta(ge=0, le=MOST)]
Count = Annotated[int, Meta(ge=0)]
UtcTime = Annotated[str, Meta(pattern=f"^{TIME.pattern}$")]


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """What one run measured of one arm, on what, and where. The fields are the file's columns.

    `epoch_seconds` and its 95 % interval are those of the run's table; the other times and the
    memory are medians over processes. `worker_cores` is how many cores the worker could run on,
    0 where the system doesn't tell, and `commit` that of the folder in which the run was started.
    """

    schema_version: Annotated[int, Meta(ge=1)] = HISTORY_SCHEMA_VERSION
    started_utc: UtcTime
    kind: Kind
    fingerprint: str
    workload: str
    backend: str
    threads: str
    loop: str
    worker_cores: Count
    label: str = ""
    epoch_seconds: Positive
    epoch_seconds_low: Positive | None = None
    epoch_seconds_high: Positive | None = None
    epoch_cpu_seconds: NotNegative
    first_epoch_seconds: Positive
    import_seconds: NotNegative
    build_seconds: NotNegative
    peak_rss_bytes: Count
    examples: Count
    processes: Annotated[int, Meta(ge=1)]
    epochs: Annotated[int, Meta(ge=1)]
    parity: ParityOutcome
    failed: bool
    jit_compile: bool
    python_version: str
    keras_version: str = ""
    framework_version: str = ""
    numpy_version: str = ""
    keras_bench_version: str = ""
    commit: str = ""
    cpu: str = ""
    usable_cores: Count
    system: str = ""
    task: Task = "train"
    """Told from version 2 of the schema on."""
    method: Method = "turns"
    """How it was measured, told from version 3 on: "turns" stands for all before slices."""

    @property
    def contender(self) -> str:
        """What tells it from the other arms of its workload."""
        return contender(self.backend, self.loop)

    @property
    def counts(self) -> bool:
        """Whether its time is that of the same training as the others', measured to the end."""
        return not self.failed and self.parity != "differs"


@dataclass(frozen=True)
class Key:
    """What rows have in common that may be compared over time.

    The versions of packages aren't part of it: their change is what a shift is to be explained
    by. The machine is, and so is the number of cores that workers were pinned to, for times of
    two of them say nothing about a change of the software. So is the method: an epoch in slices
    begins with cold caches more often. So is the label: a gate's baseline is
    the older software measured again today, and among the rows of the newer it would look like two
    shifts. By itself each label makes a series that can be read: that of a gate's candidate is how
    the project went on, and one of always the same versions shows what the machine did.
    """

    workload: str
    backend: str
    threads: str
    task: Task
    loop: str
    worker_cores: int
    label: str
    fingerprint: str
    method: Method

    @property
    def contender(self) -> str:
        """What tells it from the other arms of its workload."""
        return contender(self.backend, self.loop)


def key(row: HistoryRow) -> Key:
    """Return what a row has in common with those that it may be compared with."""
    return Key(
        row.workload,
        row.backend,
        row.threads,
        row.task,
        row.loop,
        row.worker_cores,
        row.label,
        row.fingerprint,
        row.method,
    )


def own_error(row: HistoryRow) -> float | None:
    """Return the standard error of a row's log(epoch), as its own interval shows it.

    That is how far processes of the run differ, and nothing of how the machine changes between
    runs. None where there is no interval.
    """
    if row.epoch_seconds_low is None or row.epoch_seconds_high is None:
        return None
    half = math.log(row.epoch_seconds_high / row.epoch_seconds_low) / 2
    freedom = max(row.processes - 2 * int(TRIM * row.processes) - 1, 1)
    return half / float(scipy.special.stdtrit(freedom, (1 + CONFIDENCE_LEVEL) / 2))


def history_rows(
    results: Sequence[ArmResult],
    *,
    started_utc: str,
    machine: Machine,
    kind: Kind,
    commit: str = "",
) -> tuple[HistoryRow, ...]:
    """Return a row for each arm that has samples."""
    return tuple(
        _row(result, started_utc, machine, kind, commit) for result in results if result.samples
    )


def selected(
    rows: Sequence[HistoryRow], workloads: Sequence[str] = (), backends: Sequence[str] = ()
) -> tuple[HistoryRow, ...]:
    """Return the rows of these workloads and backends; none named means all."""
    return tuple(
        row
        for row in rows
        if (not workloads or row.workload in workloads)
        and (not backends or row.backend in backends)
    )


def _row(
    result: ArmResult, started_utc: str, machine: Machine, kind: Kind, commit: str
) -> HistoryRow:
    arm, samples = result.arm, result.samples
    environment = arm.environment
    first, starts = samples[0], with_starts(samples)
    epoch_seconds = centre(process_epoch_seconds(samples))
    return HistoryRow(
        started_utc=started_utc,
        kind=kind,
        fingerprint=machine.fingerprint,
        workload=arm.workload,
        backend=arm.backend,
        threads=arm.threads,
        loop=arm.loop,
        worker_cores=len(first.cpus),
        label=environment.label,
        epoch_seconds=epoch_seconds.value,
        epoch_seconds_low=epoch_seconds.low,
        epoch_seconds_high=epoch_seconds.high,
        epoch_cpu_seconds=median(process_epochs_by("cpu", samples)),
        first_epoch_seconds=median(sample.epoch_seconds[0] for sample in starts),
        import_seconds=median(sample.import_seconds for sample in starts),
        build_seconds=median(sample.build_seconds for sample in starts),
        peak_rss_bytes=int(median(sample.peak_rss_bytes for sample in samples)),
        examples=first.examples,
        processes=len(samples),
        epochs=sum(steady_count(sample) for sample in samples),
        parity=result.parity.outcome,
        failed=result.failure is not None,
        jit_compile=first.jit_compile,
        python_version=environment.python_version,
        keras_version=environment.version_of("keras") or "",
        framework_version=environment.version_of(arm.backend) or "",
        numpy_version=environment.version_of("numpy") or "",
        keras_bench_version=__version__,
        commit=commit,
        cpu=machine.cpu,
        usable_cores=machine.usable_cores,
        system=f"{machine.system} {machine.system_release}",
        task=arm.task,
        method=first.method,
    )
