"""The columns of a table: what each is called, and how a row's figure is written in it.

The terminal and Markdown draw the same columns; `record` gives the bare figures to CSV and
JSON, with units in their names and intervals as `_low` and `_high`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keras_bench.analyze.comparison import Figures, Row, Table
from keras_bench.analyze.numbers import (
    in_seconds,
    milliseconds,
    number,
    ratio_text,
    times,
    whole,
)
from keras_bench.analyze.stats import Estimate
from keras_bench.report.text_table import Head, TextTable


@dataclass(frozen=True)
class Column:
    """A title, and the text of a measured row's cell; {one} in a title is what is timed.

    Its `rank` tells how soon a narrow terminal leaves it out.
    """

    title: str
    text: Callable[[Figures], str]
    numeric: bool = True
    rank: int = 0


#: What a ratio is of which there are less than two processes.
UNKNOWN = "unknown"

#: What the parity column says.
PARITY_TEXTS = {
    "agrees": "ok",
    "explained": "explained",
    "differs": "FAILED",
    "unchecked": "unchecked",
}


def _epoch(figures: Figures) -> str:
    return with_interval(figures.epoch_seconds, milliseconds)


def _ratio(figures: Figures) -> str:
    if figures.ratio is None:
        return "1" if figures.is_fastest else UNKNOWN
    return ratio_text(figures.ratio)


def _bare_ratio(figures: Figures) -> str:
    if figures.ratio is None:
        return "1" if figures.is_fastest else UNKNOWN
    return times(figures.ratio)


def _speedup(figures: Figures) -> str:
    if figures.speedup is None:
        return ""
    return ratio_text(figures.speedup)


def with_interval(estimate: Estimate, write: Callable[[float], str]) -> str:
    """Write a centre and its interval as "57.1 (55.5 to 58.7)"."""
    if estimate.low is None or estimate.high is None:
        return write(estimate.value)
    return f"{write(estimate.value)} ({write(estimate.low)} to {write(estimate.high)})"


def _threads(figures: Figures) -> str:
    """Write the threads within operations, between them, and of the whole process."""
    counts = {
        "within": figures.intra_op_threads,
        "between": figures.inter_op_threads,
        "all": figures.os_threads,
    }
    told = {name: count for name, count in counts.items() if count is not None}
    return ", ".join(f"{name} {count or 'auto'}" for name, count in told.items()) or "unknown"


EPOCH = Column("{one}, ms", _epoch)
RATIO = Column("ratio to fastest", _ratio)
_BARE_RATIO = Column("to fastest", _bare_ratio, rank=3)
_EXAMPLES = Column("examples/s", lambda figures: number(figures.examples_per_second), rank=3)
_SPEEDUP = Column("speed-up", _speedup)
_FIRST = Column("first {one}, s", lambda f: in_seconds(f.first_epoch_seconds), rank=2)
COUNT = Column("n", lambda figures: f"{figures.processes} ({whole(figures.epochs)})", rank=1)


#: What a reader looks for first; a terminal of 80 characters leaves out the rest.
SPEED = (EPOCH, RATIO, _EXAMPLES, _FIRST, COUNT)
#: The same where there are several loops.
SPEED_OF_LOOPS = (EPOCH, _SPEEDUP, _BARE_RATIO, _FIRST, COUNT)


def speed(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table that a reader looks for first."""
    return SPEED if len(table.loops) == 1 else SPEED_OF_LOOPS


def metric_names(table: Table) -> list[str]:
    """Return the names of all that `fit` reports beside the loss, on any backend."""
    figures = [row.figures for row in table.rows if row.figures is not None]
    return list(dict.fromkeys(name for each in figures for name in each.metrics))


def _metric(name: str) -> Column:
    return Column(name, lambda f: number(f.metrics[name]) if name in f.metrics else "")


def details(table: Table) -> tuple[Column, ...]:
    """Return the columns that explain a table, with one for every metric after the loss."""
    at = DETAILS.index(LOSS) + 1
    return (*DETAILS[:at], *map(_metric, metric_names(table)), *DETAILS[at:])


LOSS = Column("loss", lambda f: "" if f.loss is None else number(f.loss))

#: What explains it.
DETAILS = (
    Column("import, s", lambda figures: in_seconds(figures.import_seconds)),
    Column("build, s", lambda figures: in_seconds(figures.build_seconds)),
    Column("CPU per {one}, ms", lambda figures: milliseconds(figures.epoch_cpu_seconds)),
    Column("peak memory, MB", lambda figures: whole(round(figures.peak_rss_bytes / 1e6))),
    LOSS,
    Column("after epoch", lambda f: "" if f.loss_epoch is None else str(f.loss_epoch)),
    Column("processes", lambda figures: whole(figures.processes)),
    Column("{one}s", lambda figures: whole(figures.epochs)),
    Column("jit_compile", lambda figures: str(figures.jit_compile), numeric=False),
    Column("threads", _threads, numeric=False),
    Column("CPUs", lambda figures: ",".join(map(str, figures.cpus)) or "any", numeric=False),
)


def caption(table: Table) -> str:
    """Say what the figures of a table are."""
    speedup = "" if len(table.loops) == 1 else "speed-up: over fit on the same backend; "
    one = table.words.one
    return f"centre (95 % interval); {speedup}n: processes (steady {one}s in all)"


def text_table(table: Table, columns: Sequence[Column], caption: str = "") -> TextTable:
    """Return the table of a workload, whose rows begin with the backend and its parity."""
    one, tells_loops = table.words.one, _tells_loops(table)
    return TextTable(
        [
            Head("backend"),
            *([Head("loop")] if tells_loops else []),
            Head("parity"),
            *(Head(each.title.format(one=one), each.numeric, each.rank) for each in columns),
        ],
        [
            [_backend(row), *([row.arm.loop] if tells_loops else []), *_cells(row, columns)]
            for row in table.rows
        ],
        [
            "green" if place == 0 and row.counts and len(table.rows) > 1 else ""
            for place, row in enumerate(table.rows)
        ],
        table.workload,
        caption,
    )


def _tells_loops(table: Table) -> bool:
    """Tell whether the loop is worth a column: some arm has another than the default."""
    return any(row.arm.contender != row.arm.backend for row in table.rows)


def _backend(row: Row) -> str:
    failed_later = row.figures is not None and row.failure is not None
    return f"{row.arm.backend} (failed later)" if failed_later else row.arm.backend


def _cells(row: Row, columns: Sequence[Column]) -> list[str]:
    parity = PARITY_TEXTS[row.parity.outcome]
    figures = row.figures
    if figures is None:
        return [parity, _state(row), *[""] * (len(columns) - 1)]
    return [parity, *[column.text(figures) for column in columns]]


def _state(row: Row) -> str:
    """Say why a row has no figures."""
    if row.unsupported:
        return "unsupported"
    return "failed" if row.failure is not None else "not measured"


def versions(row: Row) -> str:
    """Write what the arm ran on: "Keras 3.15.1, jax 0.10.2, Python 3.11.7"."""
    environment = row.arm.environment
    backend = row.arm.backend
    return (
        f"Keras {environment.version_text('keras')}, {backend} {environment.version_text(backend)},"
        f" Python {environment.python_version}"
    )


def record(row: Row, complete: bool) -> dict[str, object]:
    """Return a row as bare figures, None where there is none."""
    environment = row.arm.environment
    record: dict[str, object] = {
        "workload": row.arm.workload,
        "backend": row.arm.backend,
        "threads": row.arm.threads,
        "task": row.arm.task,
        "loop": row.arm.loop,
        "failure": row.failure,
        "unsupported": row.unsupported,
        "parity": row.parity.outcome,
        "parity_summary": row.parity.summary,
        "run_complete": complete,
    }
    figures = row.figures
    record |= interval_record("epoch_seconds", None if figures is None else figures.epoch_seconds)
    record |= interval_record("ratio_to_fastest", ratio_to_fastest(figures))
    record |= interval_record("speedup_over_fit", None if figures is None else figures.speedup)
    record["slower_than_fastest"] = _is_slower(figures)
    for name in (
        "examples_per_second", "epoch_cpu_seconds", "import_seconds", "build_seconds",
        "first_epoch_seconds", "peak_rss_bytes", "loss", "accuracy", "loss_epoch", "processes",
        "epochs", "jit_compile", "intra_op_threads", "inter_op_threads", "os_threads",
        "random_data",
    ):  # fmt: skip
        record[name] = None if figures is None else getattr(figures, name)
    record["cpus"] = None if figures is None else " ".join(map(str, figures.cpus))
    record["python_version"] = environment.python_version
    record["framework_version"] = environment.version_of(row.arm.backend)
    for package in ("keras", "numpy"):
        record[f"{package}_version"] = environment.version_of(package)
    metrics = {} if figures is None else figures.metrics
    others = {f"metric_{name}": value for name, value in metrics.items() if name != "accuracy"}
    return record | others


def _is_slower(figures: Figures | None) -> bool | None:
    """Tell whether an arm is slower than the fastest, None where that isn't known."""
    ratio = None if figures is None else figures.ratio
    if ratio is None or not (ratio.is_above_one or ratio.is_below_one):
        return None
    return ratio.is_above_one


def ratio_to_fastest(figures: Figures | None) -> Estimate | None:
    """Return the ratio of an arm: exactly 1 for the fastest, None where there is none."""
    if figures is None:
        return None
    return Estimate(1.0) if figures.is_fastest else figures.ratio


def interval_record(name: str, estimate: Estimate | None) -> dict[str, object]:
    """Return an estimate as bare figures, its ends as `_low` and `_high`, None where none."""
    return {
        name: estimate and estimate.value,
        f"{name}_low": estimate and estimate.low,
        f"{name}_high": estimate and estimate.high,
    }


def remarks(table: Table) -> list[str]:
    """Return what is to be said of rows beside their figures: failures, and odd parity."""
    said = [
        f"{row.arm.contender} failed: {row.failure}"
        for row in table.rows
        if row.failure is not None and not row.unsupported
    ]
    return said + [
        f"parity: {row.parity.summary}"
        for row in table.rows
        if row.parity.outcome in ("differs", "explained")
        or (row.parity.outcome == "unchecked" and row.failure is None)
    ]


def notes(table: Table) -> list[str]:
    """Return what is to be known of rows and is no fault.

    Made-up data, callbacks that cost more than they take themselves, and unable backends.
    """
    made_up = [row.figures.random_data for row in table.rows if row.figures is not None]
    said = [f"data: {each}, for the workload has no data()" for each in made_up if each]
    said += [
        f"callbacks: {row.arm.contender} waits for every batch where it could go on, because"
        f" {', '.join(row.figures.waiting_callbacks)} may be called there"
        for row in table.rows
        if row.figures is not None and row.figures.waiting_callbacks
    ]
    ended: dict[tuple[str, int], list[str]] = {}
    for row in table.rows:
        if row.figures is not None and row.figures.ending_callback is not None:
            ended.setdefault(row.figures.ending_callback, []).append(row.arm.contender)
    said += [
        f"callbacks: {callback} asked for an end after epoch {epoch} on {', '.join(contenders)};"
        " the training went on, to be timed"
        for (callback, epoch), contenders in ended.items()
    ]
    return said + [row.failure for row in table.rows if row.failure and row.unsupported]
