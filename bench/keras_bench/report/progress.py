"""What a run shows while it works.

Everything is drawn between two workers, by the event that ended one or starts the next:
there is no refresh by a clock, which would take time from the arm that is being timed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.numbers import milliseconds, percent
from keras_bench.analyze.steady import process_epoch_seconds, steady_count
from keras_bench.analyze.words import WORDS
from keras_bench.errors import BenchError, Unsupported
from keras_bench.records import Arm, Gate, Run, Sample
from keras_bench.report.columns import COUNT, EPOCH, RATIO, Column, text_table
from keras_bench.report.terminal import drawn
from keras_bench.report.text_table import TextTable

#: What is shown while measuring.
LIVE_COLUMNS: tuple[Column, ...] = (EPOCH, RATIO, COUNT)


RunOrGate = TypeVar("RunOrGate", Run, Gate)

#: What a progress is put together from.
Shown = RenderableType | TextTable

#: Draws how much is spent, and what is known so far.
Draw = Callable[[RunOrGate], Sequence[Shown]]


class Progress(ABC, Generic[RunOrGate]):
    """Follows what is measured, from `with` to its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def starting(self, name: str, place: int, of: int, measured: RunOrGate) -> None:
        """Show what starts now, at which place of the round."""

    @abstractmethod
    def finished(self, arm: Arm, result: Sample | BenchError, measured: RunOrGate) -> None:
        """Show what came of it."""


def make_progress(
    console: Console, draw: Draw[RunOrGate], debug: bool = False
) -> Progress[RunOrGate]:
    """Return a live display for a terminal, and plain lines for anything else.

    With `debug`, it is plain lines too, and a failed worker's traceback below its own.
    """
    if console.is_terminal and not debug:
        return LiveProgress(console, draw)
    return PlainProgress(console, debug)


class PlainProgress(Progress[RunOrGate]):
    """A line when a worker has ended."""

    def __init__(self, console: Console, debug: bool = False) -> None:
        self._console = console
        self._debug = debug
        self._place = ""

    def starting(self, name: str, place: int, of: int, measured: RunOrGate) -> None:
        self._place = f"round {measured.rounds + 1}, {place}/{of}"

    def finished(self, arm: Arm, result: Sample | BenchError, measured: RunOrGate) -> None:
        said = _outcome(arm, result)
        line = f"{measured.elapsed_seconds:4.0f} s  {self._place:14} {arm.name:30} {said}"
        self._console.print(Text(line))
        if self._debug and isinstance(result, BenchError):
            for traceback in getattr(result, "__notes__", []):
                self._console.print(Text(traceback))


class LiveProgress(Progress[RunOrGate]):
    """What runs now, what is left, and what is known so far, redrawn in place."""

    def __init__(self, console: Console, draw: Draw[RunOrGate]) -> None:
        self._draw: Draw[RunOrGate] = draw
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def starting(self, name: str, place: int, of: int, measured: RunOrGate) -> None:
        now = Text.assemble(
            ("measuring ", "dim"), (name, "bold"),
            f"   worker {place} of {of} in round {measured.rounds + 1}",
        )  # fmt: skip
        console = self._live.console
        known = (
            drawn(each, console) if isinstance(each, TextTable) else each
            for each in self._draw(measured)
        )
        self._live.update(Group(now, *known), refresh=True)

    def finished(self, arm: Arm, result: Sample | BenchError, measured: RunOrGate) -> None:
        if isinstance(result, BenchError):
            self._live.console.print(Text(str(result), style="red"))


def draw_run(run: Run) -> list[Shown]:
    """Draw how much of a run is done, and the ratios so far."""
    measured = any(result.samples for result in run.results)
    return [_left(run), *(text_table(table, LIVE_COLUMNS) for table in tables(run) if measured)]


def draw_spent(done: float, total: float, words: str) -> Grid:
    """Draw a bar of what is done, with words beside it."""
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(ProgressBar(total=total, completed=min(done, total), width=30), Text(words))
    return grid


def _left(run: Run) -> Grid:
    """Draw how much of the rounds or of the budget is spent."""
    settings = run.settings
    until = f"until every ratio is within ±{percent(settings.precision)}"
    spent = run.elapsed_seconds
    if settings.rounds is not None:
        done, total = float(run.rounds), float(settings.rounds)
        words = f"{run.rounds} of {settings.rounds} rounds"
    elif settings.budget_seconds is not None:
        done, total = spent, settings.budget_seconds
        words = f"{spent:.0f} s of at most {total:.0f} s, {until}"
    else:
        done, total = 0.0, 1.0
        words = f"{spent:.0f} s, {until}"
    return draw_spent(done, total, words)


def _outcome(arm: Arm, result: Sample | BenchError) -> str:
    if isinstance(result, Unsupported):
        return str(result)
    if isinstance(result, BenchError):
        return f"failed: {result}"
    words = WORDS[arm.task]
    (seconds,) = process_epoch_seconds([result])
    count = steady_count(result)
    plural = "" if count == 1 else "s"
    return (
        f"{milliseconds(seconds):>6} ms {words.a_one}, {count} steady {words.one}{plural},"
        f" {result.process_seconds:.1f} s"
    )
