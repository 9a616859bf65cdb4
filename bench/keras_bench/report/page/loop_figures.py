"""The plot of a workload's loops: what of an epoch of `fit` each of them leaves."""

from typing import Any

import altair as alt

from keras_bench.analyze.comparison import Table
from keras_bench.analyze.numbers import milliseconds
from keras_bench.records import FLOOR_LOOP
from keras_bench.report.columns import interval_record
from keras_bench.report.page.content import Figure
from keras_bench.report.page.marks import (
    DATA,
    FONT_SIZE,
    INK,
    colour_of,
    height,
    rows_by,
    spec,
    ticks,
    within,
)

ROW_HEIGHT = 62

FLOOR = (
    " What lies between bare, the same network without Keras, and fit is overhead, not arithmetic."
)


def loops_figure(table: Table) -> Figure | None:
    """Draw a bar per backend, from its fastest loop to its slowest; None with a single loop."""
    if len(table.loops) < 2:
        return None
    records: list[dict[str, Any]] = []
    for row in table.rows:
        if row.counts and row.figures is not None:
            place = sum(each["backend"] == row.arm.backend for each in records)
            records.append(
                {
                    "backend": row.arm.backend,
                    "loop": row.arm.loop,
                    **interval_record("epoch_seconds", row.figures.epoch_seconds),
                    **interval_record("speedup_over_fit", row.figures.speedup),
                    "ms": row.figures.epoch_seconds.value * 1e3,
                    # Loops that take much the same have their names on both sides of the bar.
                    "above": place % 2 == 0,
                }
            )
    if not records:
        return None
    times = [each["ms"] for each in records]
    low, high = min(times) / 1.4, max(times) * 1.4
    log = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X(
        "ms:Q",
        title="ms an epoch",
        scale=log,
        axis=alt.Axis(values=ticks(low, high), format="~g"),
    )
    names = list(dict.fromkeys(each["backend"] for each in records))
    scale = alt.Scale(domain=names, range=[colour_of(name) for name in names])
    colour = alt.Color("backend:N", scale=scale, legend=None)
    base = alt.Chart(alt.NamedData(DATA)).encode(y=rows_by("backend", records))
    tooltip = [
        alt.Tooltip("backend:N"),
        alt.Tooltip("loop:N"),
        alt.Tooltip("ms:Q", format=".3~g"),
        alt.Tooltip("speedup_over_fit:Q", format=".3~g", title="times as fast as fit"),
    ]
    chart = alt.layer(
        base.mark_bar(height=10, opacity=0.35, aria=False).encode(
            x=alt.X("min(ms):Q", scale=log), x2="max(ms):Q", color=colour
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=x, color=colour, tooltip=tooltip
        ),
        *(
            base.transform_filter(f"datum.above == {str(above).lower()}")
            .mark_text(
                dy=dy, fontSize=FONT_SIZE, color=INK, aria=False, align=alt.ExprRef(within("ms"))
            )
            .encode(x=x, text="loop:N")
            for above, dy in ((True, -15), (False, 17))
        ),
    ).properties(height=height("backend", records, ROW_HEIGHT))
    has_floor = any(each["loop"] == FLOOR_LOOP for each in records)
    said = (
        f"{name} "
        + ", ".join(
            f"{each['loop']} {milliseconds(each['epoch_seconds'])} ms"
            for each in records
            if each["backend"] == name
        )
        for name in names
    )
    return Figure(
        f"Time of an epoch of {table.workload} by each loop, a bar per backend, on a log scale: "
        + "; ".join(said),
        spec(chart),
        records,
        f"A bar per backend, from its fastest loop to its slowest.{FLOOR if has_floor else ''}",
    )
