"""The plot of what the machine's speed did while arms were measured together in slices."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from keras_bench.analyze.slices import speeds_by_round
from keras_bench.records import ArmResult
from keras_bench.report.page.content import Figure
from keras_bench.report.page.marks import (
    DATA,
    MUTED,
    colour,
    legend_above,
    once,
    spec,
)

HEIGHT = 160


def weather_figure(group: Sequence[ArmResult]) -> Figure | None:
    """Draw each arm's epoch by round, ÷ its own mean; None where too little was measured."""
    records: list[dict[str, Any]] = [
        {
            "contender": each.arm.contender,
            "arm": each.arm.environment.label or each.arm.contender,
            "round": each.round,
            "relative_epoch": each.relative_epoch,
        }
        for each in speeds_by_round(group)
    ]
    if not records:
        return None
    values = [each["relative_epoch"] for each in records]
    room = max(1.05, *values, *(1 / value for value in values)) * 1.02
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            "round:Q",
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(tickMinStep=1, format="d", grid=False),
        ),
        y=alt.Y(
            "relative_epoch:Q",
            title="÷ own mean",
            scale=alt.Scale(type="log", domain=[1 / room, room], nice=False),
            axis=alt.Axis(format=".2~f", tickCount=5),
        ),
        color=colour(records),
        strokeDash=alt.StrokeDash("arm:N", legend=legend_above()),
    )
    rule = once().mark_rule(color=MUTED, aria=False).encode(y=alt.datum(1))
    chart = alt.layer(rule, base.mark_line(strokeWidth=2)).properties(height=HEIGHT)
    lowest, highest = min(values), max(values)
    return Figure(
        "An epoch of each round ÷ the mean over all rounds: from"
        f" {lowest:.2f} to {highest:.2f} of it.",
        spec(chart),
        records,
        "What all lines do is the machine's weather, and cancels in the ratios.",
    )
