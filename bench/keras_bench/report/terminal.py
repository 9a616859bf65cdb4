"""The terminal: its console, lines about the progress of a command, and findings of the machine."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.diagnosis import Finding
from keras_bench.records import STANDARD_OUTPUT
from keras_bench.report.findings import TITLES, cells, warning
from keras_bench.report.streams import Enduring
from keras_bench.report.visible import visible

#: The width of what is printed where no terminal says how wide it is.
PLAIN_WIDTH = 120


class _Console(Console):
    """A console that shows control characters of texts, which a terminal would obey.

    They may be another's.
    """

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
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = _Console(
            file=stream, highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH
        )
    return console


def say(console: Console) -> Callable[[str], None]:
    """Return what prints a line about what is done before anything is measured."""
    return lambda line: console.print(Text(line, style="dim"), soft_wrap=True)


def busy(console: Console) -> Callable[[str], Status]:
    """Return what shows a line for as long as a part of that lasts, where there is a terminal."""
    return lambda line: console.status(Text(line))


@contextmanager
def stages(console: Console, name: str) -> Iterator[Callable[[str], None]]:
    """Give what shows how far something of this name has come, where there is a terminal."""
    with console.status(Text(name)) as status:
        yield lambda stage: status.update(Text(f"{name}: {stage}"))


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print everything that was looked at, with a remedy for what spoils timings."""
    grid = Grid(*TITLES, box=SIMPLE_HEAD)
    for finding in findings:
        mark, *texts = cells(finding)
        grid.add_row(Text(mark, style="yellow" if finding.spoils else "green"), *map(Text, texts))
    console.print(grid)


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
            soft_wrap=True,
        )

    return say
