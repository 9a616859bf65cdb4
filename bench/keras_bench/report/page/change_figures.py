"""The plots of changes: baseline and candidate, versions, and the history."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from keras_bench.analyze.shifts import Series
from keras_bench.analyze.stats import Estimate
from keras_bench.analyze.sweep import SweepRow
from keras_bench.analyze.words import WORDS
from keras_bench.report.columns import interval_record
from keras_bench.report.page.content import Figure, Records
from keras_bench.report.page.marks import (
    DATA,
    FINE_TICKS,
    LINES_HEIGHT,
    MUTED,
    colour,
    intervals,
    once,
    shape,
    spec,
    ticks,
)


def paired_figure(records: Records) -> Figure | None:
    """Draw ratios of a candidate to a baseline; each record has `arm`, `contender`, `text`."""
    known = [each for each in records if each["ratio"] is not None]
    if not known:
        return None
    ends = [each[name] or each["ratio"] for each in known for name in ("ratio_low", "ratio_high")]
    low, high = min([0.95, *ends]) / 1.1, max([1.05, *ends]) * 1.1
    return Figure(
        "Candidate ÷ baseline, on a log scale: "
        + "; ".join(f"{each['arm']} {each['text']}" for each in known),
        intervals(known, "arm", "ratio", "candidate ÷ baseline", (low, high)),
        known,
    )


def sweep_figure(workload: str, rows: Sequence[SweepRow]) -> Figure | None:
    """Draw the ratio of every version to the first of its backend."""
    records: list[dict[str, Any]] = [
        {
            "version": row.result.arm.environment.label,
            "contender": row.result.arm.contender,
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
        color=colour(records, legend=True),
    )  # fmt: skip
    y = alt.Y(
        "ratio_to_first:Q",
        title="ratio to the first version",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=ticks(low, high, FINE_TICKS), format="~g"),
    )
    tooltip = [
        alt.Tooltip("version:N"),
        alt.Tooltip("contender:N", title="backend"),
        alt.Tooltip("ratio_to_first:Q", format=".3f"),
        alt.Tooltip("ratio_to_first_low:Q", format=".3f", title="low"),
        alt.Tooltip("ratio_to_first_high:Q", format=".3f", title="high"),
    ]
    chart = alt.layer(
        once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False).encode(y=alt.datum(1)),
        base.mark_line(strokeWidth=1.5, opacity=0.6).encode(y=y),
        base.mark_rule(strokeWidth=3, aria=False).encode(
            y=alt.Y("ratio_to_first_low:Q"), y2="ratio_to_first_high:Q"
        ),
        base.mark_point(filled=True, size=50, opacity=1).encode(
            y=y, shape=shape(records, legend=True), tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    return Figure(
        f"Time of an epoch of {workload} by version, as a ratio to the first version of each"
        " backend, on a log scale, with 95 % intervals.",
        spec(chart),
        records,
        "Below 1 is faster than the first version.",
    )


def history_figure(found: Sequence[Series]) -> Figure | None:
    """Draw the runs of series of one workload and task over time, with the level of each."""
    workload, words = found[0].key.workload, WORDS[found[0].key.task]
    records: list[dict[str, Any]] = [
        {
            "contender": each.key.contender,
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
            "contender": each.key.contender,
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
    axis = alt.Axis(values=ticks(low, high), format="~g")
    y = alt.Y("ms:Q", title=f"{words.one}, ms", scale=scale, axis=axis)
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            "started_utc:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(tickCount=6, labelFlush=True),
        ),
        color=colour(records, legend=True),
    )
    of_runs = base.transform_filter("!isValid(datum.level_until_utc)")
    tooltip = [
        alt.Tooltip("contender:N", title="backend"),
        alt.Tooltip("started_utc:N", title="run"),
        alt.Tooltip("ms:Q", format=".4~g", title=f"{words.one}, ms"),
    ]
    chart = alt.layer(
        base.transform_filter("isValid(datum.level_until_utc)")
        .mark_rule(strokeWidth=3, opacity=0.45, aria=False)
        .encode(y=y, x2="level_until_utc:T"),
        of_runs.mark_rule(aria=False).encode(y=alt.Y("ms_low:Q"), y2="ms_high:Q"),
        of_runs.mark_point(filled=True, size=60, opacity=1).encode(
            y=y, shape=shape(records, legend=True), tooltip=tooltip
        ),
    ).properties(height=LINES_HEIGHT)
    return Figure(
        f"Time of {words.a_one} of {workload} in every run of the history, with 95 % intervals; a"
        " horizontal bar is a level between two shifts.",
        spec(chart),
        records,
        "A mark per run, a wide bar per level.",
        workload,
    )


def _ends(record: Any, name: str) -> Iterable[float]:
    values = (record[name], record[f"{name}_low"], record[f"{name}_high"])
    return [value for value in values if value is not None]
