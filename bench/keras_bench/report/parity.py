"""A verdict on parity, as tables and sentences for a terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.parity.places import STAGES
from keras_bench.parity.verdict import BackendVerdict, Verdict, describe, sentence

STYLES = {"agrees": "green", "explained": "yellow", "differs": "bold red", "unchecked": "dim"}


def print_verdict(console: Console, verdict: Verdict, debug: bool = False) -> None:
    """Print what came of a workload: a sentence per backend, and the deviations by stage.

    With `debug`, the tracebacks of workers that failed come along.
    """
    console.print()
    epochs = "1 epoch" if verdict.epochs == 1 else f"{verdict.epochs} epochs"
    heading = f"{verdict.workload}, {verdict.dtype}{f', {epochs}' if verdict.epochs else ''}"
    console.print(Text(heading, style="bold"), soft_wrap=True)
    if verdict.source:
        console.print(Text(f"compared with {verdict.source}"), soft_wrap=True)
    for each in verdict.backends:
        text = sentence(each, verdict.knows_who)
        console.print(Text(f"- {text}", style=STYLES[each.outcome]), soft_wrap=True)
        if debug and each.traceback:
            console.print(Text(each.traceback), soft_wrap=True)
    for remark in (*verdict.remarks, *(said for each in verdict.backends for said in each.remarks)):
        console.print(Text(f"  {remark}", style="dim"), soft_wrap=True)
    measured = [each for each in verdict.backends if each.worst]
    if measured:
        console.print(_deviations(measured))
    for each in measured:
        if each.causes:
            console.print(_causes(each))


def _deviations(backends: list[BackendVerdict]) -> Grid:
    title = "largest relative deviation (what rounding explains there)"
    grid = Grid(title=title, title_justify="left", title_style="dim", box=SIMPLE_HEAD)
    grid.add_column("stage")
    for each in backends:
        grid.add_column(each.backend, justify="right")
    for stage, texts in deviation_rows(backends):
        grid.add_row(stage, *map(Text, texts))
    return grid


def deviation_rows(backends: list[BackendVerdict]) -> Iterator[tuple[str, list[str]]]:
    """Yield each stage with a text per backend."""
    for stage in STAGES:
        by_backend = [
            next((worst.deviation for worst in each.worst if worst.stage == stage), None)
            for each in backends
        ]
        if any(by_backend):
            yield stage, [
                "" if each is None else f"{each.deviation:.1e} ({each.bound:.1e})"
                + (" !" if each.is_off else "")
                for each in by_backend
            ]  # fmt: skip


def _causes(verdict: BackendVerdict) -> Grid:
    grid = Grid(
        title=f"where {verdict.backend} parts, each cause once",
        title_justify="left", title_style="dim", box=SIMPLE_HEAD,
    )  # fmt: skip
    grid.add_column("#", justify="right")
    grid.add_column("what")
    grid.add_column("places off", justify="right")
    for number, cause in enumerate(verdict.causes, start=1):
        grid.add_row(str(number), Text(describe(cause)), str(len(cause.places)))
    return grid
