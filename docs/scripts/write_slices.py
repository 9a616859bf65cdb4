"""Writes the measured parts of slices.md, from the comparisons in results/slices.json.

    PYTHONPATH=tests/support python docs/scripts/write_slices.py

They stand between "<!-- measured: NAME -->" and "<!-- end -->" on the page, and a test holds them
to the file. `screenshots.py` takes the plots of it.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import altair as alt
import msgspec
from measured_parts import with_parts
from slice_study import Comparison, LengthFigures, figures_by_length

from keras_bench.report.markdown import pipe_table
from keras_bench.report.page.content import Figure, Section
from keras_bench.report.page.document import render
from keras_bench.report.page.marks import DATA, LINES_HEIGHT, colour, shape, spec
from keras_bench.report.text_table import TextTable

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "explanation" / "slices.md"
STORED = PROJECT / "results" / "slices.json"

#: Slices of whole epochs let a process run until an epoch has begun and ended in one.
EPOCHS_PER_SLICE = 1.5

Setting = tuple[str, str, str, bool]


def comparisons_of(file: Path = STORED) -> list[Comparison]:
    """Return all comparisons, in the order in which they were measured."""
    return msgspec.convert(json.loads(file.read_text(encoding="utf-8")), list[Comparison])


def load(file: Path = STORED) -> tuple[dict[Setting, list[LengthFigures]], str]:
    """Return what each length comes to, by setting, and the CPU that all were measured on."""
    comparisons = comparisons_of(file)
    (cpu,) = {each.cpu for each in comparisons}
    settings = dict.fromkeys(each.setting for each in comparisons)
    found = {
        setting: figures_by_length([each for each in comparisons if each.setting == setting])
        for setting in settings
    }
    return found, cpu


def whole_epoch_seconds(setting: Setting) -> float:
    """Return what a whole epoch took, the geometric mean."""
    logs = [
        math.log(each.epoch_seconds)
        for each in comparisons_of()
        if each.setting == setting and each.slice_ms is None
    ]
    return math.exp(fmean(logs))


def filled(page: str, found: Mapping[Setting, list[LengthFigures]], cpu: str) -> str:
    """Return the page with its measured parts as they were found."""
    count = sum(each.comparisons for figures in found.values() for each in figures)
    texts = {
        "wall error": table(found, lambda known: f"{100 * known.wall_error:.1f} %"),
        "cpu error": table(found, lambda known: f"{100 * known.cpu_error:.1f} %"),
        "sliced to free": table(
            found, lambda known: f"{known.sliced_to_free:.3f} ± {known.sliced_to_free_error:.3f}"
        ),
        "slices source": f"{count:,} comparisons, on {cpu}.",
    }
    return with_parts(page, texts)


def table(
    found: Mapping[Setting, list[LengthFigures]], told: Callable[[LengthFigures], str]
) -> str:
    """Return a table with a row for each setting, and a column for each length."""
    lengths = [each.slice_ms for each in next(iter(found.values()))]
    titles = ["backend", "threads", "beside", *map(_name, lengths)]
    rows = []
    for (backend, loop, threads, disturbed), figures in found.items():
        known = {each.slice_ms: told(each) for each in figures}
        contender = backend if loop == "fit" else f"{backend} {loop}"
        beside = "a busy program" if disturbed else "nothing else"
        rows.append([contender, threads, beside, *(known.get(each, "") for each in lengths)])
    return pipe_table(TextTable.of(titles, [False] * 3 + [True] * len(lengths), rows))


def _name(slice_ms: float | None) -> str:
    return "whole epochs" if slice_ms is None else f"{slice_ms:g} ms"


def plots() -> str:
    """Return a page with the plots."""
    found, _ = load()
    sections = []
    for threads in ("single", "default"):
        for disturbed in (False, True):
            records = [
                {
                    "contender": backend,
                    "slice_ms": each.slice_ms
                    or 1e3
                    * EPOCHS_PER_SLICE
                    * whole_epoch_seconds((backend, loop, threads, disturbed)),
                    "error_percent": 100 * each.wall_error,
                }
                for (backend, loop, own, busy), figures in found.items()
                # By `fit` alone: the lines of one backend by two loops look alike.
                if (loop, own, busy) == ("fit", threads, disturbed)
                for each in figures
            ]
            if records:
                title = f"{threads} threads{', disturbed' if disturbed else ''}"
                figure = Figure(
                    f"Error of a comparison by slice, {title}", _errors(records), records
                )
                sections.append(Section(title, [figure]))
    return render("Slices", "", sections)


def _errors(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X(
            "slice_ms:Q",
            title="length of a slice, ms (the last of a line: whole epochs)",
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=[5, 15, 40, 100, 300, 1000], format="~g", grid=False),
        ),
        y=alt.Y(
            "error_percent:Q",
            title="a comparison is off by, %",
            scale=alt.Scale(type="log", domain=[0.2, 40]),
            axis=alt.Axis(values=[0.2, 0.5, 1, 2, 5, 10, 20, 40], format="~g"),
        ),
        color=colour(records, legend=True),
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(shape=shape(records, True))
    return spec(alt.layer(base.mark_line(), points).properties(height=LINES_HEIGHT))


def main() -> None:
    """Write the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), *load()), encoding="utf-8")


if __name__ == "__main__":
    main()
