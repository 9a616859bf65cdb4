"""The plots of a page, in Vega-Lite by way of Altair.

Colours are variables of the style sheet, so that light, dark and print need no second drawing. A
backend has its colour and its shape everywhere; both are told apart without seeing colours.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from bench.analyze.answer import milliseconds
from bench.analyze.break_even import BreakEven, series
from bench.analyze.comparison import Row, Table
from bench.analyze.epochs import timed_epochs
from bench.analyze.shifts import Series
from bench.analyze.stats import Estimate, centre
from bench.analyze.steady import process_epoch_seconds
from bench.analyze.sweep import SweepRow
from bench.analyze.words import WORDS
from bench.records import ArmResult
from bench.report.columns import interval_record, with_interval
from bench.report.gate import ratio_text
from bench.report.page.content import Figure, Records

#: The colours are near Okabe and Ito's, which the colour-blind can tell apart.
SHAPES = {
    "jax": "circle",
    "tensorflow": "square",
    "torch": "triangle-up",
    "numpy": "diamond",
    "openvino": "cross",
}
OTHER_SHAPE = "triangle-down"
DASHES = {
    "jax": [1, 0],
    "tensorflow": [8, 3],
    "torch": [3, 2],
    "numpy": [8, 3, 2, 3],
    "openvino": [2, 4],
}
OTHER_DASH = [12, 4]

#: The name by which a specification takes its records.
DATA = "records"

FONT_SIZE = 13
ROW_HEIGHT = 44
LINES_HEIGHT = 260

INK, MUTED, GRID_LINE, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"

#: Where a log scale has its labels, in each power of ten.
TICKS = (1, 2, 5)
FINE_TICKS = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8)


def colour_of(backend: str) -> str:
    """Return the style sheet's variable of a backend."""
    return f"var(--{backend})" if backend in SHAPES else "var(--other)"


def ratio_figure(table: Table, domain: tuple[float, float]) -> Figure | None:
    """Draw the ratios to the fastest with their intervals; None with nothing to compare."""
    rows = [row for row in table.rows if row.counts]
    if len(rows) < 2:
        return None
    records: list[dict[str, Any]] = [
        {
            "backend": row.arm.backend,
            **_ratio_record(row),
            "text": "1, the fastest" if (ratio := _ratio(row)) is None else ratio_text(ratio),
        }
        for row in rows
    ]
    return Figure(
        f"Time of {table.words.a_one} of {table.workload} as a ratio to the fastest backend, on a"
        " log scale: " + "; ".join(f"{each['backend']} {each['text']}" for each in records),
        _intervals(records, "backend", "ratio_to_fastest", "ratio to fastest", domain),
        records,
        f"Its {table.words.one} ÷ that of the fastest, with its 95 % interval.",
    )


def ratio_domain(tables: Sequence[Table]) -> tuple[float, float]:
    """Return the axis that the ratios of all workloads have in common."""
    ratios = [
        ratio
        for table in tables
        for row in table.rows
        if row.counts and (ratio := _ratio(row)) is not None
    ]
    low = min([1.0, *(each.low or each.value for each in ratios)])
    high = max([2.0, *(each.high or each.value for each in ratios)])
    return low * 0.93, high * 1.3


def paired_figure(records: Records, what: str, axis: str) -> Figure | None:
    """Draw ratios of a candidate to a baseline; each record has `arm`, `backend`, `text`."""
    known = [each for each in records if each["ratio"] is not None]
    if not known:
        return None
    ends = [each[name] or each["ratio"] for each in known for name in ("ratio_low", "ratio_high")]
    low, high = min([0.95, *ends]) / 1.1, max([1.05, *ends]) * 1.1
    return Figure(
        f"{what}, on a log scale: " + "; ".join(f"{each['arm']} {each['text']}" for each in known),
        _intervals(known, "arm", "ratio", axis, (low, high)),
        known,
    )


def epochs_figure(result: ArmResult) -> Figure:
    """Draw every epoch of an arm, process after process; what is off the scale is at its edge."""
    arm = result.arm
    lengths = [len(sample.epoch_seconds) for sample in result.samples]
    known = timed_epochs(result.samples)
    records: list[dict[str, Any]] = [
        {
            "process": each.process,
            "epoch": each.epoch,
            "epoch_seconds": each.epoch_seconds,
            "steady": each.is_steady,
            "ms": each.epoch_seconds * 1e3,
            "place": round(each.process + 0.92 * (each.epoch - 1) / lengths[each.process - 1], 4),
        }
        for each in known
    ]
    counted = [each["ms"] for each in records if each["steady"]]
    low, high = min(counted) / 1.02, max(counted) * 1.02
    level = centre(process_epoch_seconds(result.samples))
    count = len(result.samples)
    x = alt.X(
        "place:Q",
        title=None,
        scale=alt.Scale(domain=[0.97, count + 1], nice=False),
        axis=alt.Axis(
            values=[number + 0.45 for number in range(1, count + 1)],
            labelExpr="format(floor(datum.value), 'd')",
            ticks=False,
            grid=False,
        ),
    )
    y = alt.Y(
        "ms:Q",
        title="ms",
        scale=alt.Scale(type="log", domain=[low, high], clamp=True, nice=False),
        axis=alt.Axis(values=_ticks(low, high), format="~g"),
    )
    tooltip = [
        alt.Tooltip("process:Q"),
        alt.Tooltip("epoch:Q"),
        alt.Tooltip("ms:Q", format=".4~g", title="ms"),
    ]
    base = alt.Chart(alt.NamedData(DATA)).encode(x=x, y=y, tooltip=tooltip)
    rule = _once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False)
    chart = alt.layer(
        rule.encode(y=alt.datum(level.value * 1e3)),
        base.transform_filter("datum.steady")
        .mark_line(
            color=colour_of(arm.backend),
            strokeWidth=1,
            point={"size": 9, "filled": True, "color": colour_of(arm.backend)},
        )
        .encode(detail="process:N"),
        base.transform_filter("!datum.steady").mark_point(
            shape="triangle-up", size=42, color=INK, filled=False, strokeWidth=1.2
        ),
    ).properties(height=110)
    return Figure(
        f"Every {WORDS[arm.task].one} of {arm.workload} on {arm.backend}, {count} processes one"
        f" after the other; steady ones take {milliseconds(min(counted) / 1e3)} to"
        f" {milliseconds(max(counted) / 1e3)} ms, around"
        f" {with_interval(level, milliseconds)} ms.",
        _spec(chart),
        records,
        title=arm.backend,
    )


def first_epoch_figure(table: Table) -> Figure | None:
    """Draw each backend's first epoch beside a steady one."""
    records: list[dict[str, Any]] = [
        {
            "backend": row.arm.backend,
            "first_epoch_seconds": row.figures.first_epoch_seconds,
            **interval_record("epoch_seconds", row.figures.epoch_seconds),
            "first_ms": row.figures.first_epoch_seconds * 1e3,
            "steady_ms": row.figures.epoch_seconds.value * 1e3,
        }
        for row in table.rows
        if row.figures is not None
    ]
    if not records:
        return None
    ends = [each[name] for each in records for name in ("first_ms", "steady_ms")]
    low, high = min(ends) / 1.3, max(ends) * 1.3
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    axis = alt.Axis(values=_ticks(low, high), format="~g")
    base = alt.Chart(alt.NamedData(DATA)).encode(y=_rows("backend", records))
    tooltip = [
        alt.Tooltip("backend:N"),
        alt.Tooltip("first_ms:Q", format=".3~g", title="first, ms"),
        alt.Tooltip("steady_ms:Q", format=".3~g", title="steady, ms"),
    ]
    first = alt.X("first_ms:Q", title="ms", scale=scale, axis=axis)
    steady = alt.X("steady_ms:Q", title="ms", scale=scale, axis=axis)
    look = {"color": _colour(records), "shape": _shape(records), "tooltip": tooltip}
    chart = alt.layer(
        base.mark_rule(strokeWidth=1.5, aria=False).encode(
            x=first, x2="steady_ms:Q", color=_colour(records)
        ),
        base.mark_point(filled=False, fill=PAPER, size=110, strokeWidth=2).encode(x=first, **look),
        base.mark_point(filled=True, size=110, opacity=1).encode(x=steady, **look),
    ).properties(height=_height("backend", records, 30))
    return Figure(
        f"The first {table.words.one} of {table.workload} against a steady one: "
        + "; ".join(
            f"{each['backend']} {milliseconds(each['first_epoch_seconds'])} ms and"
            f" {milliseconds(each['epoch_seconds'])} ms"
            for each in records
        ),
        _spec(chart),
        records,
        f"Hollow: the first {table.words.one}, with tracing and compilation. Filled: a steady one.",
    )


def total_figure(results: Sequence[ArmResult], found: Sequence[BreakEven]) -> Figure | None:
    """Draw what a whole training takes by its number of epochs, and where backends break even."""
    counting = [each for each in results if each.samples]
    if len(counting) < 2:
        return None
    most = 10 ** math.ceil(math.log10(max([50, *(3 * each.epochs for each in found)])))
    crossings: list[dict[str, Any]] = [
        {
            "epochs": each.epochs,
            "epochs_low": each.low,
            "epochs_high": each.high,
            "training_seconds": each.training_seconds,
            "backend": each.faster.backend,
            "breaks_even_with": each.slower.backend,
        }
        for each in found
        if each.epochs > 1
    ]
    lines: list[dict[str, Any]] = [
        {"epochs": epochs, "training_seconds": seconds, "backend": arm.backend}
        for arm, epochs, seconds in series(counting, most)
    ]
    records = [*lines, *crossings]
    times = [each["training_seconds"] for each in lines]
    low, high = min(times) / 1.1, max(times) * 1.1
    x = alt.X(
        "epochs:Q",
        title="epochs",
        scale=alt.Scale(type="log", domain=[1, most], nice=False),
        axis=alt.Axis(values=_ticks(1, most, (1,)), format=","),
    )
    y = alt.Y(
        "training_seconds:Q",
        title="whole training, s",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=_ticks(low, high), format="~g"),
    )
    base = alt.Chart(alt.NamedData(DATA)).encode(x=x, y=y)
    at_crossing = base.transform_filter("isValid(datum.breaks_even_with)")
    tooltip = [
        alt.Tooltip("backend:N", title="from here on quicker"),
        alt.Tooltip("breaks_even_with:N", title="than"),
        alt.Tooltip("epochs:Q", format=","),
        alt.Tooltip("epochs_low:Q", format=",", title="low"),
        alt.Tooltip("epochs_high:Q", format=",", title="high"),
    ]
    chart = alt.layer(
        base.transform_filter("!isValid(datum.breaks_even_with)")
        .mark_line(strokeWidth=2)
        .encode(color=_colour(lines, legend=True), strokeDash=_dash(lines)),
        at_crossing.transform_filter("isValid(datum.epochs_high)")
        .mark_rule(color=INK, strokeWidth=4, opacity=0.35, aria=False)
        .encode(x=alt.X("epochs_low:Q"), x2="epochs_high:Q"),
        at_crossing.mark_point(color=INK, fill=PAPER, size=80, strokeWidth=1.8, opacity=1).encode(
            tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    workload = counting[0].arm.workload
    return Figure(
        f"Seconds that a whole training of {workload} takes by its number of epochs, a line per"
        " backend, with a circle where two of them break even.",
        _spec(chart),
        records,
        "Counted: importing framework and Keras, build(), the first epoch and the warm-up, then"
        " steady epochs; not counted: what is much the same everywhere, such as making the data."
        " A circle is a break-even, the bar through it its 95 % interval.",
    )


def memory_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the peak memory of every process."""
    records: list[dict[str, Any]] = [
        {
            "backend": each.arm.backend,
            "process": number,
            "peak_rss_bytes": sample.peak_rss_bytes,
            "MB": sample.peak_rss_bytes / 1e6,
        }
        for each in results
        for number, sample in enumerate(each.samples, start=1)
    ]
    if not records:
        return None
    chart = (
        alt.Chart(alt.NamedData(DATA))
        .mark_point(filled=True, size=80, opacity=0.55)
        .encode(
            x=alt.X(
                "MB:Q",
                title="peak resident memory of a process, MB",
                scale=alt.Scale(zero=True),
                axis=alt.Axis(tickCount=6),
            ),
            y=_rows("backend", records),
            color=_colour(records),
            shape=_shape(records),
            tooltip=[
                alt.Tooltip("backend:N"),
                alt.Tooltip("process:Q"),
                alt.Tooltip("MB:Q", format=".0f"),
            ],
        )
        .properties(height=_height("backend", records, 30))
    )
    spans = {
        backend: [each["MB"] for each in records if each["backend"] == backend]
        for backend in _backends(records)
    }
    return Figure(
        "Peak resident memory of every process: "
        + "; ".join(f"{name} {min(mb):.0f} to {max(mb):.0f} MB" for name, mb in spans.items()),
        _spec(chart),
        records,
        "A mark per process.",
    )


def parity_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the losses of the parity check over the reference's; None where none were kept."""
    learners = [
        (each.arm.backend, each.parity.running_losses)
        for each in results
        if each.parity.running_losses
    ]
    known = (each.parity.reference_losses for each in results)
    reference = next((losses for losses in known if losses), ())
    if not learners:
        return None
    series = [("reference", reference), *learners]
    records: list[dict[str, Any]] = [
        {
            "backend": name,
            "step": step,
            "running_loss": loss,
            "deviation": loss / reference[step - 1] - 1
            if step <= len(reference) and reference[step - 1]
            else None,
        }
        for name, losses in series
        for step, loss in enumerate(losses, start=1)
    ]
    largest = max(
        (abs(each["deviation"]) for each in records if each["deviation"] is not None), default=None
    )
    said = "" if largest is None else f" The largest relative deviation is {largest:.1e}."
    return Figure(
        "Running loss after each step of the parity check, on the same weights and batches: "
        f"{', '.join(name for name, _ in series)}.{said}",
        _nested_lines(records, [name for name, _ in series], "step", "running_loss"),
        records,
        "From the same weights on the same batches. Lines that agree lie within each other, the"
        f" reference widest.{said}",
    )


def losses_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the losses of the first timed training of each backend."""
    learners = [
        (each.arm.backend, each.samples[0].losses)
        for each in results
        if each.samples and each.samples[0].losses
    ]
    if not learners:
        return None
    shortest = min(len(losses) for _, losses in learners)
    records: list[dict[str, Any]] = [
        {"backend": name, "epoch": epoch, "loss": loss}
        for name, losses in learners
        for epoch, loss in enumerate(losses[:shortest], start=1)
    ]
    return Figure(
        "Loss after each epoch of the first timed training: "
        + "; ".join(f"{name} ends at {losses[shortest - 1]:.4f}" for name, losses in learners),
        _lines(records, "epoch", "loss"),
        records,
        "Each backend from random weights of its own, in an order of its own: these lines needn't"
        " lie on each other.",
    )


def sweep_figure(workload: str, rows: Sequence[SweepRow]) -> Figure | None:
    """Draw the ratio of every version to the first of its backend."""
    records: list[dict[str, Any]] = [
        {
            "version": row.result.arm.environment.label,
            "backend": row.result.arm.backend,
            **interval_record("ratio_to_first", Estimate(1.0) if row.is_first else row.to_first),
        }
        for row in rows
        if row.is_first or row.to_first is not None
    ]
    if not records:
        return None
    labels = list(dict.fromkeys(row.result.arm.environment.label for row in rows))
    ends = [value for each in records for value in _ends(each, "ratio_to_first")]
    low, high = min(0.9, *ends) / 1.08, max(1.1, *ends) * 1.08
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            "version:O", title=None, sort=labels, scale=alt.Scale(domain=labels),
            axis=alt.Axis(labelAngle=-35, labelLimit=120),
        ),
        color=_colour(records, legend=True),
    )  # fmt: skip
    y = alt.Y(
        "ratio_to_first:Q",
        title="ratio to the first version",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=_ticks(low, high, FINE_TICKS), format="~g"),
    )
    tooltip = [
        alt.Tooltip("version:N"),
        alt.Tooltip("backend:N"),
        alt.Tooltip("ratio_to_first:Q", format=".3f"),
        alt.Tooltip("ratio_to_first_low:Q", format=".3f", title="low"),
        alt.Tooltip("ratio_to_first_high:Q", format=".3f", title="high"),
    ]
    chart = alt.layer(
        _once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False).encode(y=alt.datum(1)),
        base.mark_line(strokeWidth=1.5, opacity=0.6).encode(y=y),
        base.mark_rule(strokeWidth=3, aria=False).encode(
            y=alt.Y("ratio_to_first_low:Q"), y2="ratio_to_first_high:Q"
        ),
        base.mark_point(filled=True, size=50, opacity=1).encode(
            y=y, shape=_shape(records, legend=True), tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    return Figure(
        f"Time of an epoch of {workload} by version, as a ratio to the first version of each"
        " backend, on a log scale, with 95 % intervals.",
        _spec(chart),
        records,
        "Below 1 is faster than the first version.",
    )


def history_figure(workload: str, found: Sequence[Series]) -> Figure | None:
    """Draw the runs of a workload's series over time, with the level of each."""
    records: list[dict[str, Any]] = [
        {
            "backend": each.key.backend,
            "started_utc": row.started_utc,
            **interval_record(
                "epoch_seconds",
                Estimate(row.epoch_seconds, row.epoch_seconds_low, row.epoch_seconds_high),
            ),
            "ms": row.epoch_seconds * 1e3,
            "ms_low": (row.epoch_seconds_low or row.epoch_seconds) * 1e3,
            "ms_high": (row.epoch_seconds_high or row.epoch_seconds) * 1e3,
        }
        for each in found
        for level in each.levels
        for row in level.rows
    ]
    runs = len(records)
    records += [
        {
            "backend": each.key.backend,
            "started_utc": level.rows[0].started_utc,
            "level_until_utc": level.rows[-1].started_utc,
            **interval_record("epoch_seconds", level.epoch_seconds),
            "ms": level.epoch_seconds.value * 1e3,
        }
        for each in found
        for level in each.levels
        if len(level.rows) > 1
    ]
    if runs == len(records):
        return None
    ends = [each[name] for each in records for name in ("ms", "ms_low", "ms_high") if name in each]
    low, high = min(ends) / 1.1, max(ends) * 1.1
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    axis = alt.Axis(values=_ticks(low, high), format="~g")
    y = alt.Y("ms:Q", title="epoch, ms", scale=scale, axis=axis)
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            "started_utc:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(tickCount=6, labelFlush=True),
        ),
        color=_colour(records, legend=True),
    )
    of_runs = base.transform_filter("!isValid(datum.level_until_utc)")
    tooltip = [
        alt.Tooltip("backend:N"),
        alt.Tooltip("started_utc:N", title="run"),
        alt.Tooltip("ms:Q", format=".4~g", title="epoch, ms"),
    ]
    chart = alt.layer(
        base.transform_filter("isValid(datum.level_until_utc)")
        .mark_rule(strokeWidth=3, opacity=0.45, aria=False)
        .encode(y=y, x2="level_until_utc:T"),
        of_runs.mark_rule(aria=False).encode(y=alt.Y("ms_low:Q"), y2="ms_high:Q"),
        of_runs.mark_point(filled=True, size=60, opacity=1).encode(
            y=y, shape=_shape(records, legend=True), tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    return Figure(
        f"Time of an epoch of {workload} in every run of the history, with 95 % intervals; a"
        " horizontal bar is a level between two shifts.",
        _spec(chart),
        records,
        "A mark per run, a wide bar per level.",
        workload,
    )


def _intervals(
    records: Records, row: str, value: str, title: str, domain: tuple[float, float]
) -> dict[str, Any]:
    """Draw a dot with its interval in each row, and its figures in words above."""
    x = alt.X(
        f"{value}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=list(domain), nice=False),
        axis=alt.Axis(
            values=_ticks(*domain, FINE_TICKS if domain[1] / domain[0] < 4 else TICKS),
            format="~g",
        ),
    )
    base = alt.Chart(alt.NamedData(DATA)).encode(y=_rows(row, records))
    chart = alt.layer(
        _once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False).encode(x=alt.datum(1)),
        base.mark_rule(strokeWidth=3, aria=False).encode(
            x=alt.X(f"{value}_low:Q"), x2=f"{value}_high:Q", color=_colour(records)
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=x, color=_colour(records), shape=_shape(records)
        ),
        base.mark_text(
            dy=-14, fontSize=FONT_SIZE, color=INK, aria=False, align=alt.ExprRef(_within(value))
        ).encode(x=x, text="text:N"),
    ).properties(height=_height(row, records, ROW_HEIGHT))
    return _spec(chart)


def _within(value: str) -> str:
    """Return how a text at a value is aligned, so that it stays within the plot."""
    place = f"scale('x', datum.{value})"
    room = 75
    return f"{place} < {room} ? 'left' : {place} > width - {room} ? 'right' : 'center'"


def _lines(records: Records, x: str, y: str) -> dict[str, Any]:
    """Draw a line for each backend, whose dashes tell it apart as its colour does."""
    chart = _line_base(records, x, y).mark_line(strokeWidth=2).encode(strokeDash=_dash(records))
    return _spec(chart.properties(height=LINES_HEIGHT))


def _nested_lines(records: Records, names: Sequence[str], x: str, y: str) -> dict[str, Any]:
    """Draw lines that can lie on each other: each within the one before."""
    base = _line_base(records, x, y)
    widths = [1.5 + 2.2 * place for place in reversed(range(len(names)))]
    chart = alt.layer(
        *(
            base.transform_filter(alt.FieldEqualPredicate(field="backend", equal=name)).mark_line(
                strokeWidth=width, strokeCap="round"
            )
            for name, width in zip(names, widths, strict=True)
        )
    ).properties(height=LINES_HEIGHT)
    return _spec(chart)


def _line_base(records: Records, x: str, y: str) -> alt.Chart:
    values = [each[y] for each in records]
    room = 0.04 * (max(values) - min(values)) or 0.01
    return alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            f"{x}:Q",
            title=x,
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(tickMinStep=1, format="d", grid=False),
        ),
        y=alt.Y(
            f"{y}:Q",
            title=y.replace("_", " "),
            scale=alt.Scale(
                zero=False, domain=[min(values) - room, max(values) + room], nice=False
            ),
        ),
        color=_colour(records, legend=True),
    )


def _once() -> alt.Chart:
    """Return a chart of one mark, for what stands at a value that no record holds."""
    return alt.Chart(alt.InlineData(values=[{}]))


def _rows(field: str, records: Records) -> alt.Y:
    names = list(dict.fromkeys(each[field] for each in records))
    return alt.Y(
        f"{field}:N",
        title=None,
        sort=names,
        axis=alt.Axis(
            ticks=False,
            domain=False,
            grid=False,
            labelExpr="split(datum.label, ', ')",
            labelLimit=150,
            labelPadding=10,
        ),
    )


def _height(field: str, records: Records, step: int) -> int:
    return step * len({each[field] for each in records})


def _backends(records: Records) -> list[str]:
    return list(dict.fromkeys(each["backend"] for each in records))


def _colour(records: Records, legend: bool = False) -> alt.Color:
    names = _backends(records)
    scale = alt.Scale(domain=names, range=[colour_of(name) for name in names])
    return alt.Color("backend:N", scale=scale, legend=_legend(legend))


def _shape(records: Records, legend: bool = False) -> alt.Shape:
    names = _backends(records)
    shapes = [SHAPES.get(name, OTHER_SHAPE) for name in names]
    scale = alt.Scale(domain=names, range=shapes)
    return alt.Shape("backend:N", scale=scale, legend=_legend(legend))


def _dash(records: Records) -> alt.StrokeDash:
    names = _backends(records)
    scale = alt.Scale(domain=names, range=[DASHES.get(name, OTHER_DASH) for name in names])
    return alt.StrokeDash("backend:N", scale=scale, legend=_legend(True))


def _legend(wanted: bool) -> alt.Legend | None:
    if not wanted:
        return None
    return alt.Legend(orient="top", title=None, columns=4, symbolSize=150, symbolOpacity=1)


def _ratio(row: Row) -> Estimate | None:
    return None if row.figures is None else row.figures.ratio


def _ratio_record(row: Row) -> dict[str, object]:
    return interval_record("ratio_to_fastest", _ratio(row) or Estimate(1.0))


def _ends(record: Any, name: str) -> Iterable[float]:
    values = (record[name], record[f"{name}_low"], record[f"{name}_high"])
    return [value for value in values if value is not None]


def _ticks(low: float, high: float, steps: Sequence[float] = TICKS) -> list[float]:
    """Return where a log axis has its labels; evenly and finely where it is short."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{step * 10.0**power:.3g}") for power in powers for step in steps]
    found = [each for each in found if low <= each <= high]
    if len(found) >= 2:
        return found
    width = 10 ** math.floor(math.log10((high - low) / 2))
    step = next(each * width for each in (5, 2, 1) if (high - low) / (each * width) >= 2)
    first = math.ceil(low / step)
    return [float(f"{n * step:.6g}") for n in range(first, math.floor(high / step) + 1)]


def _spec(chart: Any) -> dict[str, Any]:
    """Return a specification as wide as the page lets it be."""
    # The tests see it drawn; to check it against the schema on every page takes half the time.
    spec: dict[str, Any] = chart.properties(width="container").to_dict(validate=False)
    # What is the same in all plots stands in the page once.
    for name in ("config", "$schema"):
        spec.pop(name, None)
    return spec


#: The look of all plots.
CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    "view": {"stroke": None},
    "autosize": {"type": "fit-x", "contains": "padding"},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": FONT_SIZE,
        "titleFontSize": FONT_SIZE,
        "titleFontWeight": "normal",
        "gridColor": GRID_LINE,
        "domainColor": GRID_LINE,
        "tickColor": GRID_LINE,
        "labelOverlap": True,
    },
    "axisY": {"domain": False, "ticks": False},
    "legend": {"labelColor": INK, "labelFontSize": FONT_SIZE, "symbolStrokeWidth": 2.5},
    "title": {"color": INK},
    "rule": {"color": MUTED},
}
