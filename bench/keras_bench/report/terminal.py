"""Tables and findings on a terminal, in colour where it has any."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.status import Status
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even_answer import loops_answers
from keras_bench.analyze.comparison import Table
from keras_bench.analyze.diagnosis import Finding
from keras_bench.records import Run
from keras_bench.report.columns import caption, cells, is_numeric, notes, remarks, speed, titles
from keras_bench.report.findings import TITLES as FINDING_TITLES
from keras_bench.report.findings import cells as finding_cells
from keras_bench.report.findings import warning

#: The width of what is printed where no terminal says how wide it is.
PLAIN_WIDTH = 120


class _Console(Console):
    """A console that goes on in silence where its reader has gone, as `| head` does."""

    def on_broken_pipe(self) -> None:
        # To end here, as rich does, would lose what has been measured.
        self.quiet = True
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def make_console() -> Console:
    """Return a console; a file or pipe gets plain lines that aren't cut to 80 characters."""
    console = _Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = _Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH)
    return console


def say(console: Console) -> Callable[[str], None]:
    """Return what prints a line about what is done before anything is measured."""
    return lambda line: console.print(Text(line, style="dim"), soft_wrap=True)


def busy(console: Console) -> Callable[[str], Status]:
    """Return what shows a line for as long as a part of that lasts, where there is a terminal."""
    return lambda line: console.status(Text(line))


def print_tables(console: Console, run: Run, tables: Sequence[Table]) -> None:
    """Print a table per workload, fastest first, each with its answer below it."""
    for table in tables:
        grid = Grid(
            title=Text(table.workload),
            title_justify="left",
            title_style="bold",
            caption=caption(table),
            caption_justify="left",
            box=SIMPLE_HEAD,
        )
        columns = speed(table)
        for title, numeric in zip(titles(table, columns), is_numeric(table, columns), strict=True):
            grid.add_column(title, justify="right" if numeric else "left")
        for position, (row, texts) in enumerate(
            zip(table.rows, cells(table, columns), strict=True)
        ):
            fastest = position == 0 and row.counts and len(table.rows) > 1
            grid.add_row(*map(Text, texts), style="green" if fastest else "")
        console.print()
        console.print(grid)
        for remark in dict.fromkeys(remarks(table)):
            console.print(Text(remark, style="red"), soft_wrap=True)
        for note in dict.fromkeys(notes(table)):
            console.print(Text(note, style="dim"), soft_wrap=True)
        for sentence in answers(table):
            console.print(Text(sentence, style="bold"))
        for sentence in loops_answers(run, table):
            console.print(Text(sentence))
    console.print()
    console.print(Text(ending(run, tables)))


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print everything that was looked at, with a remedy for what spoils timings."""
    grid = Grid(*FINDING_TITLES, box=SIMPLE_HEAD)
    for finding in findings:
        mark, *texts = finding_cells(finding)
        grid.add_row(Text(mark, style="yellow" if finding.spoils else "green"), *map(Text, texts))
    console.print(grid)


def print_warnings(console: Console, findings: Sequence[Finding]) -> None:
    """Print a line for each finding that spoils timings."""
    for finding in findings:
        if finding.spoils:
            console.print(Text(f"warning: {warning(finding)}", style="yellow"))


def about_to_wait(console: Console) -> Callable[[Path], None]:
    """Return what says that another run holds the machine, by this file."""

    def say(lock_file: Path) -> None:
        console.print(
            f"another keras-bench run is measuring on this machine ({lock_file});"
            " waiting for it to end (Ctrl-C gives up)",
            soft_wrap=True,
        )

    return say
