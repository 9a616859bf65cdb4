"""What all plots of a page are made of, in Vega-Lite by way of Altair.

Colours are variables of the style sheet, so that light, dark and print need no second drawing. A
backend has its colour and its shape everywhere; both are told apart without seeing colours.
"""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from keras_bench.report.page.content import Records

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


LOOP_DASHES = {"fused": [1, 2], "bare": [1, 5], "batch": [6, 2, 1, 2]}


OTHER_DASH = [12, 4]


#: The name by which a specification takes its records.
DATA = "records"


FONT_SIZE = 13


ROW_HEIGHT = 44


LINES_HEIGHT = 260


INK, MUTED, GRID_LINE, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"


#: The backend of a row has a line of its own; the workload before it may have commas in its name.
LABEL_LINES = "split(datum.label, regexp(', (?=[^,]*$)'))"


#: Where a log scale has its labels, in each power of ten.
TICKS = (1, 2, 5)


FINE_TICKS = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8)


def colour_of(contender: str) -> str:
    """Return the style sheet's variable of a contender's backend."""
    backend, _ = _apart(contender)
    return f"var(--{backend})" if backend in SHAPES else "var(--other)"


def _apart(contender: str) -> tuple[str, str]:
    """Return its backend and its loop, which is empty where it is the default."""
    backend, _, loop = contender.partition(" ")
    return backend, loop


def intervals(
    records: Records, row: str, value: str, title: str, domain: tuple[float, float]
) -> dict[str, Any]:
    """Draw a dot with its interval in each row, and its figures in words above."""
    x = alt.X(
        f"{value}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=list(domain), nice=False),
        axis=alt.Axis(
            values=ticks(*domain, FINE_TICKS if domain[1] / domain[0] < 4 else TICKS),
            format="~g",
        ),
    )
    base = alt.Chart(alt.NamedData(DATA)).encode(y=rows_by(row, records))
    chart = alt.layer(
        once().mark_rule(color=MUTED, strokeDash=[2, 3], aria=False).encode(x=alt.datum(1)),
        base.mark_rule(strokeWidth=3, aria=False).encode(
            x=alt.X(f"{value}_low:Q"), x2=f"{value}_high:Q", color=colour(records)
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=x, color=colour(records), shape=shape(records)
        ),
        base.mark_text(
            dy=-14,
            # Clear of the line at 1, on which a text that is aligned to it would begin.
            dx=alt.ExprRef(f"({within(value)}) == 'left' ? 5 : 0"),
            fontSize=FONT_SIZE,
            color=INK,
            aria=False,
            align=alt.ExprRef(within(value)),
        ).encode(x=x, text="text:N"),
    ).properties(height=height(row, records, ROW_HEIGHT))
    return spec(chart)


def within(value: str) -> str:
    """Return how a text at a value is aligned, so that it stays within the plot."""
    place = f"scale('x', datum.{value})"
    room = 75
    return f"{place} < {room} ? 'left' : {place} > width - {room} ? 'right' : 'center'"


def lines(records: Records, x: str, y: str, title: str) -> dict[str, Any]:
    """Draw a line for each backend, whose dashes tell it apart as its colour does."""
    chart = (
        _line_base(records, x, y, title).mark_line(strokeWidth=2).encode(strokeDash=dash(records))
    )
    return spec(chart.properties(height=LINES_HEIGHT))


def nested_lines(records: Records, names: Sequence[str], x: str, y: str) -> dict[str, Any]:
    """Draw lines that can lie on each other: each within the one before."""
    base = _line_base(records, x, y, y.replace("_", " "))
    widths = [1.5 + 2.2 * place for place in reversed(range(len(names)))]
    chart = alt.layer(
        *(
            base.transform_filter(alt.FieldEqualPredicate(field="contender", equal=name)).mark_line(
                strokeWidth=width, strokeCap="round"
            )
            for name, width in zip(names, widths, strict=True)
        )
    ).properties(height=LINES_HEIGHT)
    return spec(chart)


def _line_base(records: Records, x: str, y: str, title: str) -> alt.Chart:
    values = [each[y] for each in records]
    room = 0.04 * (max(values) - min(values)) or 0.01
    return alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            f"{x}:Q",
            title=x.replace("_", " "),
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(tickMinStep=1, format="d", grid=False),
        ),
        y=alt.Y(
            f"{y}:Q",
            title=title,
            scale=alt.Scale(
                zero=False, domain=[min(values) - room, max(values) + room], nice=False
            ),
        ),
        color=colour(records, legend=True),
    )


def once() -> alt.Chart:
    """Return a chart of one mark, for what stands at a value that no record holds."""
    return alt.Chart(alt.InlineData(values=[{}]))


def rows_by(field: str, records: Records) -> alt.Y:
    """Return the rows of a plot, one for each value of a field, in the order of the records."""
    names = list(dict.fromkeys(each[field] for each in records))
    return alt.Y(
        f"{field}:N",
        title=None,
        sort=names,
        axis=alt.Axis(
            ticks=False,
            domain=False,
            grid=False,
            labelExpr=LABEL_LINES,
            labelLimit=alt.ExprRef("containerSize()[0] / 2"),
            labelPadding=10,
        ),
    )


def height(field: str, records: Records, step: int) -> int:
    """Return the height of so many rows, in pixels."""
    return step * len({each[field] for each in records})


def contenders_of(records: Records) -> list[str]:
    """Return the backends, each with its loop, in the order of the records."""
    return list(dict.fromkeys(each["contender"] for each in records))


def colour(records: Records, legend: bool = False) -> alt.Color:
    """Return the colour of each one's backend."""
    names = contenders_of(records)
    scale = alt.Scale(domain=names, range=[colour_of(name) for name in names])
    return alt.Color("contender:N", title="backend", scale=scale, legend=legend_above(legend))


def shape(records: Records, legend: bool = False) -> alt.Shape:
    """Return the shape of each one's backend."""
    names = contenders_of(records)
    shapes = [SHAPES.get(_apart(name)[0], OTHER_SHAPE) for name in names]
    scale = alt.Scale(domain=names, range=shapes)
    return alt.Shape("contender:N", title="backend", scale=scale, legend=legend_above(legend))


def dash(records: Records) -> alt.StrokeDash:
    """Return each one's dashes, with a legend."""
    names = contenders_of(records)
    scale = alt.Scale(domain=names, range=[_dashes_of(name) for name in names])
    return alt.StrokeDash("contender:N", title="backend", scale=scale, legend=legend_above(True))


def _dashes_of(contender: str) -> list[int]:
    """Return a backend's dashes; a loop's are its own, and the colour tells the backend."""
    backend, loop = _apart(contender)
    return LOOP_DASHES.get(loop, OTHER_DASH) if loop else DASHES.get(backend, OTHER_DASH)


def legend_above(wanted: bool = True) -> alt.Legend | None:
    """Return the legend above a plot."""
    if not wanted:
        return None
    return alt.Legend(orient="top", title=None, columns=4, symbolSize=150, symbolOpacity=1)


def ticks(low: float, high: float, steps: Sequence[float] = TICKS) -> list[float]:
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


def spec(chart: Any) -> dict[str, Any]:
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
