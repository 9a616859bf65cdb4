"""The terminal: its console, lines about the progress of a command, and findings of the machine."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.status import Status
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.diagnosis import Finding
from keras_bench.records import STANDARD_OUTPUT
from keras_bench.report.findings import findings_table, warning
from keras_bench.report.streams import Enduring
from keras_bench.report.text_table import TextTable
from keras_bench.report.visible import visible

#: The width of tables where neither a terminal nor COLUMNS says how wide they may be.
PLAIN_WIDTH = 120

#: Wider than any table; to measure one in.
UNLIMITED = 100_000


class VisibleConsole(Console):
    """A console that shows control characters of texts, which a terminal would obey.

    They may be another's. Sentences are wrapped on a terminal alone: what reads a pipe or a file
    wants them whole.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        if not self.is_terminal and all(isinstance(each, str | Text) for each in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def make_console(outputs: Sequence[Path | None] = ()) -> Console:
    """Return a console; a file or pipe gets plain lines that aren't cut to 80 characters.

    It is standard error where one of a command's outputs is standard output. Where it can't be
    written to, nothing that was measured is lost.
    """
    stream: Any = Enduring(sys.stderr if STANDARD_OUTPUT in outputs else sys.stdout)
    console = VisibleConsole(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = VisibleConsole(
            file=stream, highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH
        )
    return console


def say(console: Console) -> Callable[[str], None]:
    """Return what prints a line about what is done before anything is measured."""
    return lambda line: console.print(Text(line, style="dim"))


def busy(console: Console) -> Callable[[str], Status]:
    """Return what shows a line for as long as a part of that lasts, where there is a terminal."""
    return lambda line: console.status(Text(line))


@contextmanager
def stages(console: Console, name: str) -> Iterator[Callable[[str], None]]:
    """Give what shows how far something of this name has come, where there is a terminal."""
    with console.status(Text(name)) as status:
        yield lambda stage: status.update(Text(f"{name}: {stage}"))


def print_table(console: Console, table: TextTable) -> None:
    """Print a table, without the columns for which there isn't the room."""
    console.print(drawn(table, console))


def drawn(table: TextTable, console: Console) -> RenderableType:
    """Draw a table as wide as a console, and say which of its columns there isn't the room for."""
    places = list(range(len(table.heads)))
    unlimited = console.options.update(width=UNLIMITED)
    while True:
        left_out = [head.title for place, head in enumerate(table.heads) if place not in places]
        grid = _grid(table, places, left_out)
        spare = [place for place in places if table.heads[place].rank]
        wanted = Measurement.get(console, unlimited, grid).maximum
        if wanted <= console.width or not spare:
            return grid
        places.remove(max(spare, key=lambda place: table.heads[place].rank))


def _grid(table: TextTable, places: Sequence[int], left_out: Sequence[str]) -> Grid:
    said = [table.caption.removesuffix(".")]
    said += [f"not at this width: {', '.join(left_out)}"] if left_out else []
    grid = Grid(
        title=Text(table.title) if table.title else None,
        title_justify="left",
        title_style="bold",
        caption="; ".join(filter(None, said)) or None,
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    for place in places:
        head = table.heads[place]
        grid.add_column(
            Text(head.title), justify="right" if head.numeric else "left", overflow="fold"
        )
    styles = table.styles or [""] * len(table.rows)
    for texts, style in zip(table.rows, styles, strict=True):
        grid.add_row(*(Text(texts[place]) for place in places), style=style)
    return grid


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print everything that was looked at, with a remedy for what spoils timings."""
    print_table(console, findings_table(findings))


def print_warnings(console: Console, findings: Sequence[Finding]) -> None:
    """Print a line for each finding that spoils timings."""
    for finding in findings:
        if finding.spoils:
            console.print(Text(f"warning: {warning(finding)}", style="yellow"))


def about_to_wait(console: Console) -> Callable[[str], None]:
    """Return what says that another run holds the machine, in these words."""

    def say(holder: str) -> None:
        console.print(
            f"another keras-bench run is measuring on this machine ({holder});"
            " waiting for it to end (Ctrl-C gives up)",
        )

    return say
