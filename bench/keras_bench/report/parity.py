"""A verdict on parity, as tables and sentences for a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.numbers import whole
from keras_bench.parity.places import STAGES
from keras_bench.parity.verdict import BackendVerdict, Verdict, describe, sentence
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

STYLES = {"agrees": "green", "explained": "yellow", "differs": "bold red", "unchecked": "dim"}


def print_verdict(console: Console, verdict: Verdict, debug: bool = False) -> None:
    """Print what came of a workload: a sentence per backend, and the deviations by stage.

    With `debug`, the tracebacks of workers that failed come along.
    """
    console.print()
    epochs = "1 epoch" if verdict.epochs == 1 else f"{verdict.epochs} epochs"
    heading = f"{verdict.workload}, {verdict.dtype}{f', {epochs}' if verdict.epochs else ''}"
    console.print(Text(heading, style="bold"))
    if verdict.source:
        console.print(Text(f"compared with {verdict.source}"))
    for each in verdict.backends:
        text = sentence(each, verdict.knows_who)
        console.print(Text(f"- {text}", style=STYLES[each.outcome]))
        if debug and each.traceback:
            console.print(Text(each.traceback))
    for remark in (*verdict.remarks, *(said for each in verdict.backends for said in each.remarks)):
        console.print(Text(f"  {remark}", style="dim"))
    measured = [each for each in verdict.backends if each.worst]
    if measured:
        print_table(console, _deviations(measured))
    for each in measured:
        if each.causes:
            print_table(console, _causes(each))


def _deviations(backends: list[BackendVerdict]) -> TextTable:
    return TextTable(
        [Head("stage"), *(Head(each.backend, numeric=True) for each in backends)],
        [[stage, *texts] for stage, texts in deviation_rows(backends)],
        title="largest relative deviation (what rounding explains there)",
    )


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


def _causes(verdict: BackendVerdict) -> TextTable:
    return TextTable(
        [Head("#", numeric=True), Head("what"), Head("places off", numeric=True, rank=1)],
        [
            [str(place), describe(cause), whole(len(cause.places))]
            for place, cause in enumerate(verdict.causes, start=1)
        ],
        title=f"where {verdict.backend} parts, each cause once",
    )
