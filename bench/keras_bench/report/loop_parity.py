"""Verdicts on the loops of a workload, as a table and sentences for a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.parity.loops import LoopVerdict, describe, sentence_of_loop
from keras_bench.report.parity import STYLES


def print_loop_verdicts(
    console: Console, workload: str, verdicts: Sequence[LoopVerdict], debug: bool = False
) -> None:
    """Print a sentence and a row per backend and loop.

    With `debug`, the tracebacks of workers and loops that failed come along.
    """
    console.print()
    console.print(Text(workload, style="bold"), soft_wrap=True)
    for each in verdicts:
        text = Text(f"- {sentence_of_loop(each)}", style=STYLES[each.outcome])
        console.print(text, soft_wrap=True)
        if debug and each.traceback:
            console.print(Text(each.traceback), soft_wrap=True)
    title = "furthest from fit, next to what rounding explains"
    grid = Grid("workload", "backend", "loop", "outcome", title, box=SIMPLE_HEAD)
    for each in verdicts:
        grid.add_row(*map(Text, _texts(workload, each)), style=STYLES[each.outcome])
    console.print(grid)


def _texts(workload: str, verdict: LoopVerdict) -> tuple[str, ...]:
    outcome = "unsupported" if verdict.unsupported else verdict.outcome
    furthest = describe(verdict.deviations[0]) if verdict.deviations else ""
    return workload, verdict.learner, verdict.loop, outcome, furthest
