"""Two stored runs next to each other, on a terminal and in Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.answer import milliseconds, span
from keras_bench.analyze.compared import ArmPair, Comparison
from keras_bench.analyze.compared_answer import answer, remarks, runs, versions, worth
from keras_bench.analyze.measured import MeasuredArm
from keras_bench.analyze.stats import centre
from keras_bench.analyze.words import WORDS
from keras_bench.report.gate import STYLES, ratio_text, verdict_grid
from keras_bench.report.markdown import described, pipe_table, plain

#: What annotations and test reports are headed by.
TITLE = "keras-bench compare"

NUMERIC = (False, False, True, True, True, False, True)


def titles(comparison: Comparison) -> list[str]:
    """Return the heads of the columns; across machines it is another ratio that counts."""
    counts = "to the fastest" if comparison.differences else "lasting"
    timed = dict.fromkeys(WORDS[side.task].one for pair in comparison.pairs for side in pair.sides)
    return ["workload", "backend", f"{' or '.join(timed)}, ms", "ratio", counts, "verdict", "n"]


def caption(comparison: Comparison) -> str:
    """Say what the columns mean."""
    ratio = "ratio: candidate ÷ baseline (95 % interval of these two runs alone)"
    if comparison.differences:
        counts = "to the fastest: this ratio ÷ that of the backend that was the fastest"
    else:
        counts = "lasting: its interval with how far runs differ by themselves, 95 % for all rows"
    return f"{ratio}; {counts}; n: processes"


def cells(pair: ArmPair, comparison: Comparison) -> list[str]:
    """Return the texts of a pair's row."""
    if comparison.differences:
        counts = "" if pair.to_fastest is None else ratio_text(pair.to_fastest)
    else:
        counts = "" if pair.lasting is None else span(pair.lasting)
    return [
        pair.workload,
        pair.contender,
        f"{_milliseconds(pair.baseline)} → {_milliseconds(pair.candidate)}",
        "" if pair.ratio is None else ratio_text(pair.ratio),
        counts,
        pair.outcome,
        f"{_processes(pair.baseline)} → {_processes(pair.candidate)}",
    ]


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print which runs they are, the table, and a sentence per arm."""
    for line in _compared(comparison):
        console.print(Text(line), soft_wrap=True)
    grid = verdict_grid(
        titles(comparison),
        NUMERIC,
        [cells(pair, comparison) for pair in comparison.pairs],
        [pair.outcome for pair in comparison.pairs],
    )
    grid.caption = caption(comparison)
    grid.caption_justify = "left"
    console.print()
    console.print(grid)
    for pair in comparison.pairs:
        style = STYLES.get(pair.outcome, "")
        console.print(Text(answer(pair, comparison), style=style), soft_wrap=True)
        for remark in dict.fromkeys(remarks(pair)):
            console.print(Text(f"  {remark}", style="yellow"), soft_wrap=True)
    if said := worth(comparison):
        console.print(Text(said, style="bold"), soft_wrap=True)


def markdown(comparison: Comparison) -> str:
    """Return the comparison as a section in GitHub-flavoured Markdown."""
    lines = []
    for pair in comparison.pairs:
        lines.append(f"- {plain(answer(pair, comparison))}")
        lines += [f"  - {plain(remark)}" for remark in dict.fromkeys(remarks(pair))]
    machines = dict.fromkeys(
        described(run.machine) for run in (comparison.baseline, comparison.candidate)
    )
    rows = [cells(pair, comparison) for pair in comparison.pairs]
    facts = [*_compared(comparison), f"threshold {comparison.threshold:.3g}", *machines]
    parts = [
        "## Is the candidate slower?",
        "\n".join(lines),
        *([f"**{plain(said)}**"] if (said := worth(comparison)) else []),
        pipe_table(titles(comparison), NUMERIC, rows),
        f"{caption(comparison)}.",
        "\n".join(f"- {plain(fact)}" for fact in facts),
    ]
    return "\n\n".join(parts) + "\n"


def _compared(comparison: Comparison) -> Sequence[str]:
    return [runs(comparison), versions(comparison)]


def _milliseconds(side: MeasuredArm | None) -> str:
    if side is None or not side.process_epoch_seconds:
        return "none"
    return milliseconds(centre(side.process_epoch_seconds).value)


def _processes(side: MeasuredArm | None) -> str:
    return "0" if side is None else str(len(side.process_epoch_seconds))
