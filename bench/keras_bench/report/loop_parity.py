"""Verdicts on the loops of a workload, as a table and sentences for a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.parity.loops import LoopVerdict, describe, sentence_of_loop
from keras_bench.report.parity import STYLES
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable


def print_loop_verdicts(
    console: Console, workload: str, verdicts: Sequence[LoopVerdict], debug: bool = False
) -> None:
    """Print a sentence and a row per backend and loop.

    With `debug`, the tracebacks of workers and loops that failed come along.
    """
    console.print()
    console.print(Text(workload, style="bold"))
    for each in verdicts:
        text = Text(f"- {sentence_of_loop(each)}", style=STYLES[each.outcome])
        console.print(text)
        if debug and each.traceback:
            console.print(Text(each.traceback))
    heads = [
        Head("workload", rank=1),
        Head("backend"),
        Head("loop"),
        Head("outcome"),
        Head("furthest from fit, next to what rounding explains", rank=2),
    ]
    styles = [STYLES[each.outcome] for each in verdicts]
    rows = [_texts(workload, each) for each in verdicts]
    print_table(console, TextTable(heads, rows, styles))


def _texts(workload: str, verdict: LoopVerdict) -> tuple[str, ...]:
    outcome = "unsupported" if verdict.unsupported else verdict.outcome
    furthest = describe(verdict.deviations[0]) if verdict.deviations else ""
    return workload, verdict.learner, verdict.loop, outcome, furthest
