"""What a run measured, compared: a table per workload, a row per arm, the fastest first.

Every figure that a terminal, a file or a page shows is worked out here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from keras_bench.analyze.load import load_remark_on
from keras_bench.analyze.ratios import ProcessTimes, process_times, ratio_of
from keras_bench.analyze.slices import grouped
from keras_bench.analyze.stats import Estimate, centre
from keras_bench.analyze.steady import (
    process_epoch_seconds,
    process_epochs_by,
    steady_count,
    with_starts,
)
from keras_bench.analyze.words import WORDS, Words
from keras_bench.records import (
    BACKENDS_OF,
    DEFAULT_LOOPS,
    UNCHECKED,
    Arm,
    ArmResult,
    Failure,
    Method,
    Parity,
    Run,
    Sample,
)


@dataclass(frozen=True)
class Figures:
    """What the samples of one arm say, times in seconds.

    `epoch_seconds` is the trimmed mean over processes of each one's trimmed mean of steady epochs.
    The other times and the memory are medians over processes. `ratio` is this arm's epoch ÷ that of
    the fastest arm that counts, None for the fastest itself and with less than two processes of
    each. `speedup` is the epoch of `fit` on the same backend ÷ this arm's, None for `fit` itself
    and where that wasn't measured twice or doesn't count. `loss` and `metrics` are those of the
    first process after epoch `loss_epoch`, the last of `fit` that all arms came to; a prediction
    has none of the three. Its calls stand where epochs stand, as in its samples, and `epochs`
    counts the steady ones.
    """

    epoch_seconds: Estimate
    is_fastest: bool
    ratio: Estimate | None
    examples_per_second: float
    epoch_cpu_seconds: float
    import_seconds: float
    build_seconds: float
    first_epoch_seconds: float
    peak_rss_bytes: int
    loss: float | None
    metrics: dict[str, float]
    loss_epoch: int | None
    processes: int
    epochs: int
    process_epoch_seconds: tuple[float, ...]
    jit_compile: bool
    intra_op_threads: int | None
    inter_op_threads: int | None
    os_threads: int | None
    cpus: tuple[int, ...]
    random_data: str
    speedup: Estimate | None = None
    waiting_callbacks: tuple[str, ...] = ()
    ending_callback: tuple[str, int] | None = None
    method: Method = "turns"
    process_rounds: tuple[int, ...] | None = None

    @property
    def accuracy(self) -> float | None:
        """The metric of this name, None where there is none."""
        return self.metrics.get("accuracy")

    @property
    def process_times(self) -> ProcessTimes:
        """What ratios are made from."""
        return ProcessTimes(self.process_epoch_seconds, self.process_rounds)


@dataclass(frozen=True)
class Row:
    """One arm: its figures, where it was measured, its failure, where it failed, its parity.

    `unsupported` tells that its failure is no fault: the workload isn't for its backend.
    """

    arm: Arm
    figures: Figures | None
    failure: str | None
    parity: Parity = UNCHECKED
    unsupported: bool = False

    @property
    def counts(self) -> bool:
        """Whether its time is that of the same training as the others', measured to the end."""
        return self.figures is not None and _is_sound(self)


@dataclass(frozen=True)
class Table:
    """The rows of one workload: those that count, those that don't, those without a figure.

    Each kind with the fastest first. `load_remark` says that the machine was busy, where it was.
    """

    workload: str
    rows: tuple[Row, ...]
    load_remark: str = ""

    @property
    def words(self) -> Words:
        """What is to be called what: all rows are of one task."""
        return WORDS[self.rows[0].arm.task]

    @property
    def loops(self) -> tuple[str, ...]:
        """The loops of its arms, the default one first."""
        names = dict.fromkeys(row.arm.loop for row in self.rows)
        return tuple(sorted(names, key=lambda name: name not in DEFAULT_LOOPS.values()))

    def of_loop(self, loop: str) -> "Table":
        """Return the rows of one loop, their ratios to the fastest of them."""
        rows = [row for row in self.rows if row.arm.loop == loop]
        fastest = next((row for row in rows if row.figures is not None), None)
        return replace(self, rows=tuple(_to_fastest(row, fastest) for row in rows))


def _to_fastest(row: Row, fastest: Row | None) -> Row:
    if row.figures is None or fastest is None or fastest.figures is None:
        return row
    times, of_fastest = row.figures.process_times, fastest.figures.process_times
    versus = None if row is fastest else ratio_of(times, of_fastest)
    figures = replace(row.figures, is_fastest=row is fastest, ratio=versus)
    return replace(row, figures=figures)


def tables(run: Run) -> tuple[Table, ...]:
    """Return a table per workload, in the order in which the run holds them."""
    return tuple(
        _table(group[0].arm.workload, group, load_remark_on(run, group))
        for group in grouped(run.results, lambda arm: arm.workload)
    )


def counting(results: Sequence[ArmResult]) -> list[ArmResult]:
    """Return the arms that count: their time is that of the same training, measured to the end."""
    return [result for result in results if result.samples and _is_sound(result)]


def faults(results: Sequence[ArmResult]) -> list[Failure]:
    """Return the failures that make a run fail, those of checking parity among them.

    That a workload isn't for a backend is no fault where another one trains it.
    """
    trained = {result.arm.workload for result in results if result.samples}
    return [
        result.fault
        for result in results
        if result.fault is not None
        and not (result.fault.unsupported and result.arm.workload in trained)
    ]


def _table(workload: str, results: Sequence[ArmResult], load_remark: str) -> Table:
    measured = sorted((result for result in results if result.samples), key=_rank)
    unmeasured = sorted(
        (result for result in results if not result.samples),
        key=lambda result: BACKENDS_OF["predict"].index(result.arm.backend),
    )
    rows = tuple(_row(result, measured) for result in [*measured, *unmeasured])
    return Table(workload, rows, load_remark)


def _rank(result: ArmResult) -> tuple[bool, float]:
    """Put the arms that failed, or learn something else, behind, and the fast before the slow."""
    return not _is_sound(result), centre(process_epoch_seconds(result.samples)).value


def _is_sound(known: ArmResult | Row) -> bool:
    return known.failure is None and known.parity.outcome != "differs"


def _row(result: ArmResult, measured: Sequence[ArmResult]) -> Row:
    failure = None if result.failure is None else result.failure.message
    if not result.samples:
        unsupported = result.failure is not None and result.failure.unsupported
        return Row(result.arm, None, failure, result.parity, unsupported)
    loss_epoch = _loss_epoch([other.samples[0] for other in measured])
    fastest = measured[0]
    versus = None
    if result is not fastest:
        versus = ratio_of(process_times(result.samples), process_times(fastest.samples))
    speedup = _speedup(result, measured)
    figures = _figures(result.samples, result is fastest, versus, speedup, loss_epoch)
    return Row(result.arm, figures, failure, result.parity)


def _loss_epoch(samples: Sequence[Sample]) -> int:
    """Return the epoch after which losses are told: the last of `fit` that all have come to."""
    return min(min(len(each.losses), each.fit_epochs or len(each.losses)) for each in samples)


def _speedup(result: ArmResult, measured: Sequence[ArmResult]) -> Estimate | None:
    default = replace(result.arm, loop=DEFAULT_LOOPS[result.arm.task])
    if default == result.arm:
        return None
    by_fit = [each for each in counting(measured) if each.arm == default]
    if not by_fit:
        return None
    return ratio_of(process_times(by_fit[0].samples), process_times(result.samples))


def _metrics(sample: Sample, epoch: int) -> dict[str, float]:
    """Return each metric after an epoch: the last one known, for validation may skip epochs."""
    known = {
        name: [value for value in values[:epoch] if value is not None]
        for name, values in sample.metrics.items()
    }
    return {name: values[-1] for name, values in known.items() if values}


def _figures(
    samples: Sequence[Sample],
    is_fastest: bool,
    versus: Estimate | None,
    speedup: Estimate | None,
    loss_epoch: int,
) -> Figures:
    first, starts = samples[0], with_starts(samples)
    times = process_times(samples)
    epoch_seconds = centre(times.seconds)
    return Figures(
        epoch_seconds=epoch_seconds,
        is_fastest=is_fastest,
        ratio=versus,
        examples_per_second=first.examples / epoch_seconds.value,
        epoch_cpu_seconds=median(process_epochs_by("cpu", samples)),
        import_seconds=median(sample.import_seconds for sample in starts),
        build_seconds=median(sample.build_seconds for sample in starts),
        first_epoch_seconds=median(sample.epoch_seconds[0] for sample in starts),
        peak_rss_bytes=int(median(sample.peak_rss_bytes for sample in samples)),
        loss=first.losses[loss_epoch - 1] if first.losses else None,
        metrics=_metrics(first, loss_epoch),
        loss_epoch=loss_epoch or None,
        processes=len(samples),
        epochs=sum(steady_count(sample) for sample in samples),
        process_epoch_seconds=times.seconds,
        process_rounds=times.rounds,
        jit_compile=first.jit_compile,
        intra_op_threads=first.intra_op_threads,
        inter_op_threads=first.inter_op_threads,
        os_threads=first.os_threads,
        cpus=first.cpus,
        random_data=first.random_data,
        speedup=speedup,
        waiting_callbacks=first.waiting_callbacks,
        ending_callback=first.ending_callback,
        method=first.method,
    )
