"""The plots of a run's times and memory: its arms beside each other, and each one's epochs."""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from keras_bench.analyze.break_even import BreakEven, totals_by_epochs
from keras_bench.analyze.comparison import Table, counting
from keras_bench.analyze.epochs import TimedEpoch, timed_epochs
from keras_bench.analyze.numbers import milliseconds, ratio_text
from keras_bench.analyze.stats import centre
from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.analyze.words import WORDS
from keras_bench.records import ArmResult
from keras_bench.report.columns import interval_record, ratio_to_fastest, with_interval
from keras_bench.report.page.content import Figure
from keras_bench.report.page.marks import (
    DATA,
    INK,
    LINES_HEIGHT,
    MUTED,
    PAPER,
    colour,
    colour_of,
    contenders_of,
    dash,
    height,
    intervals,
    once,
    rows_by,
    shape,
    spec,
    ticks,
)


def ratio_figure(table: Table, domain: tuple[float, float]) -> Figure | None:
    """Draw the ratios to the fastest with their intervals; None with nothing to compare."""
    records: list[dict[str, Any]] = [
        {
            "contender": row.arm.contender,
            **interval_record("ratio_to_fastest", ratio),
            "text": "1, the fastest" if ratio.low is None else ratio_text(ratio),
        }
        for row in table.rows
        if row.counts and (ratio := ratio_to_fastest(row.figures)) is not None
    ]
    if len(records) < 2:
        return None
    return Figure(
        f"Time of {table.words.a_one} of {table.workload} as a ratio to the fastest backend, on a"
        " log scale: " + "; ".join(f"{each['contender']} {each['text']}" for each in records),
        intervals(records, "contender", "ratio_to_fastest", "ratio to fastest", domain),
        records,
        f"Its {table.words.one} ÷ that of the fastest, with its 95 % interval.",
    )


def ratio_domain(tables: Sequence[Table]) -> tuple[float, float]:
    """Return the axis that the ratios of all workloads have in common."""
    ratios = [
        ratio
        for table in tables
        for row in table.rows
        if row.counts and (ratio := ratio_to_fastest(row.figures)) is not None
    ]
    low = min([1.0, *(each.low or each.value for each in ratios)])
    high = max([2.0, *(each.high or each.value for each in ratios)])
    return low * 0.93, high * 1.3


def epochs_figure(result: ArmResult) -> Figure:
    """Draw every epoch of an arm, process after process; what is off the scale is at its edge.

    Only an epoch that doesn't count can be, by being slower. Of a prediction, the records tell of
    how many calls each block is.
    """
    arm, words = result.arm, WORDS[result.arm.task]
    lengths = [len(sample.epoch_seconds) for sample in result.samples]
    known = timed_epochs(result.samples)
    records: list[dict[str, Any]] = [
        {
            "process": each.process,
            "epoch": each.epoch,
            "epoch_seconds": each.epoch_seconds,
            "steady": each.is_steady,
            **_calls(each, result),
            "ms": each.epoch_seconds * 1e3,
            "place": round(each.process + 0.92 * (each.epoch - 1) / lengths[each.process - 1], 4),
        }
        for each in known
    ]
    counted = [each["ms"] for each in records if each["steady"]]
    low, high = min(each["ms"] for each in records) / 1.02, max(counted) * 1.02
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
        axis=alt.Axis(values=ticks(low, high), format="~g"),
    )
    tooltip = [
        alt.Tooltip("process:Q"),
        alt.Tooltip("epoch:Q", title=words.kept),
        alt.Tooltip("ms:Q", format=".4~g", title="ms"),
    ]
    if arm.task == "predict":
        tooltip.append(alt.Tooltip("calls_per_block:Q", title="calls in it"))
    base = alt.Chart(alt.NamedData(DATA)).encode(x=x, y=y, tooltip=tooltip)
    rule = once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False)
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
        f"Every {words.kept} of {arm.workload} on {arm.contender}, {count} processes;"
        f" steady ones take {milliseconds(min(counted) / 1e3)} to"
        f" {milliseconds(max(counted) / 1e3)} ms, around"
        f" {with_interval(level, milliseconds)} ms.",
        spec(chart),
        records,
        title=arm.contender,
    )


def _calls(timed: TimedEpoch, result: ArmResult) -> dict[str, int | None]:
    """Return how many calls a block has; None for the first call and the warm-up, in no block."""
    if result.arm.task == "train":
        return {}
    per_block = result.samples[timed.process - 1].calls_per_block
    return {"calls_per_block": per_block if timed.is_steady else None}


def first_epoch_figure(table: Table) -> Figure | None:
    """Draw each backend's first epoch beside a steady one."""
    records: list[dict[str, Any]] = [
        {
            "contender": row.arm.contender,
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
    axis = alt.Axis(values=ticks(low, high), format="~g")
    base = alt.Chart(alt.NamedData(DATA)).encode(y=rows_by("contender", records))
    tooltip = [
        alt.Tooltip("contender:N", title="backend"),
        alt.Tooltip("first_ms:Q", format=".3~g", title="first, ms"),
        alt.Tooltip("steady_ms:Q", format=".3~g", title="steady, ms"),
    ]
    first = alt.X("first_ms:Q", title="ms", scale=scale, axis=axis)
    steady = alt.X("steady_ms:Q", title="ms", scale=scale, axis=axis)
    look = {"color": colour(records), "shape": shape(records), "tooltip": tooltip}
    chart = alt.layer(
        base.mark_rule(strokeWidth=1.5, aria=False).encode(
            x=first, x2="steady_ms:Q", color=colour(records)
        ),
        base.mark_point(filled=False, fill=PAPER, size=110, strokeWidth=2).encode(x=first, **look),
        base.mark_point(filled=True, size=110, opacity=1).encode(x=steady, **look),
    ).properties(height=height("contender", records, 30))
    return Figure(
        f"The first {table.words.one} of {table.workload} against a steady one: "
        + "; ".join(
            f"{each['contender']} {milliseconds(each['first_epoch_seconds'])} ms and"
            f" {milliseconds(each['epoch_seconds'])} ms"
            for each in records
        ),
        spec(chart),
        records,
        f"Hollow: the first {table.words.one}, with tracing and compilation. Filled: a steady one.",
    )


def total_figure(results: Sequence[ArmResult], found: Sequence[BreakEven]) -> Figure | None:
    """Draw what a whole training takes by its number of epochs, and where backends break even."""
    arms = counting(results)
    if len(arms) < 2:
        return None
    most = 10 ** math.ceil(math.log10(max([50, *(3 * each.epochs for each in found)])))
    crossings: list[dict[str, Any]] = [
        {
            "epochs": each.epochs,
            "epochs_low": each.low,
            "epochs_high": each.high,
            "training_seconds": each.training_seconds,
            "contender": each.faster.contender,
            "breaks_even_with": each.slower.contender,
        }
        for each in found
        if each.epochs > 1
    ]
    lines: list[dict[str, Any]] = [
        {"epochs": epochs, "training_seconds": seconds, "contender": arm.contender}
        for arm, epochs, seconds in totals_by_epochs(arms, most)
    ]
    records = [*lines, *crossings]
    times = [each["training_seconds"] for each in lines]
    low, high = min(times) / 1.1, max(times) * 1.1
    x = alt.X(
        "epochs:Q",
        title="epochs",
        scale=alt.Scale(type="log", domain=[1, most], nice=False),
        axis=alt.Axis(values=ticks(1, most, (1,)), format=","),
    )
    y = alt.Y(
        "training_seconds:Q",
        title="whole training, s",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=ticks(low, high), format="~g"),
    )
    base = alt.Chart(alt.NamedData(DATA)).encode(x=x, y=y)
    at_crossing = base.transform_filter("isValid(datum.breaks_even_with)")
    tooltip = [
        alt.Tooltip("contender:N", title="from here on quicker"),
        alt.Tooltip("breaks_even_with:N", title="than"),
        alt.Tooltip("epochs:Q", format=","),
        alt.Tooltip("epochs_low:Q", format=",", title="low"),
        alt.Tooltip("epochs_high:Q", format=",", title="high"),
    ]
    chart = alt.layer(
        base.transform_filter("!isValid(datum.breaks_even_with)")
        .mark_line(strokeWidth=2)
        .encode(color=colour(lines, legend=True), strokeDash=dash(lines)),
        at_crossing.transform_filter("isValid(datum.epochs_high)")
        .mark_rule(color=INK, strokeWidth=4, opacity=0.35, aria=False)
        .encode(x=alt.X("epochs_low:Q"), x2="epochs_high:Q"),
        at_crossing.mark_point(color=INK, fill=PAPER, size=80, strokeWidth=1.8, opacity=1).encode(
            tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    workload = arms[0].arm.workload
    return Figure(
        f"Seconds that a whole training of {workload} takes by its number of epochs, a line per"
        " backend, with a circle where two of them break even.",
        spec(chart),
        records,
        "Counted: importing framework and Keras, build(), the first epoch and the warm-up, then"
        " steady epochs; not counted: what is much the same everywhere, such as making the data."
        " A circle is a break-even, the bar through it its 95 % interval.",
    )


def memory_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the peak memory of every process."""
    records: list[dict[str, Any]] = [
        {
            "contender": each.arm.contender,
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
            y=rows_by("contender", records),
            color=colour(records),
            shape=shape(records),
            tooltip=[
                alt.Tooltip("contender:N", title="backend"),
                alt.Tooltip("process:Q"),
                alt.Tooltip("MB:Q", format=".0f"),
            ],
        )
        .properties(height=height("contender", records, 30))
    )
    spans = {
        name: [each["MB"] for each in records if each["contender"] == name]
        for name in contenders_of(records)
    }
    return Figure(
        "Peak resident memory of every process: "
        + "; ".join(f"{name} {min(mb):.0f} to {max(mb):.0f} MB" for name, mb in spans.items()),
        spec(chart),
        records,
        "A mark per process.",
    )
