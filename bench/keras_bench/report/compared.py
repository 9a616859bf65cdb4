"""Two stored runs next to each other, on a terminal and in Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.compared import ArmPair, Comparison
from keras_bench.analyze.compared_answer import answer, remarks, runs, versions, worth
from keras_bench.analyze.measured import MeasuredArm
from keras_bench.analyze.numbers import milliseconds, ratio_text, span
from keras_bench.analyze.stats import centre
from keras_bench.analyze.words import WORDS
from keras_bench.report.gate import STYLES
from keras_bench.report.markdown import described, pipe_table, plain
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

#: What annotations and test reports are headed by.
TITLE = "keras-bench compare"


def compared_table(comparison: Comparison) -> TextTable:
    """Return a row for every pair; across machines it is another ratio that counts."""
    counts = "to the fastest" if comparison.differences else "lasting"
    timed = dict.fromkeys(WORDS[side.task].one for pair in comparison.pairs for side in pair.sides)
    return TextTable(
        [
            Head("workload"),
            Head("backend"),
            Head(f"{' or '.join(timed)}, ms", numeric=True, rank=2),
            Head("ratio", numeric=True),
            Head(counts, numeric=True, rank=1),
            Head("verdict"),
            Head("n", numeric=True, rank=3),
        ],
        [_cells(pair, comparison) for pair in comparison.pairs],
        [STYLES.get(pair.outcome, "") for pair in comparison.pairs],
        caption=caption(comparison),
    )


def caption(comparison: Comparison) -> str:
    """Say what the columns mean."""
    ratio = "ratio: candidate ÷ baseline (95 % interval of these two runs alone)"
    if comparison.differences:
        counts = "to the fastest: this ratio ÷ that of the backend that was the fastest"
    else:
        counts = "lasting: its interval with how far runs differ by themselves, 95 % for all rows"
    return f"{ratio}; {counts}; n: processes"


def _cells(pair: ArmPair, comparison: Comparison) -> list[str]:
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
        console.print(Text(line))
    console.print()
    print_table(console, compared_table(comparison))
    for pair in comparison.pairs:
        style = STYLES.get(pair.outcome, "")
        console.print(Text(answer(pair, comparison), style=style))
        for remark in dict.fromkeys(remarks(pair)):
            console.print(Text(f"  {remark}", style="yellow"))
    if said := worth(comparison):
        console.print(Text(said, style="bold"))


def markdown(comparison: Comparison) -> str:
    """Return the comparison as a section in GitHub-flavoured Markdown."""
    lines = []
    for pair in comparison.pairs:
        lines.append(f"- {plain(answer(pair, comparison))}")
        lines += [f"  - {plain(remark)}" for remark in dict.fromkeys(remarks(pair))]
    machines = dict.fromkeys(
        described(run.machine) for run in (comparison.baseline, comparison.candidate)
    )
    facts = [*_compared(comparison), f"threshold {comparison.threshold:.3g}", *machines]
    parts = [
        "## Is the candidate slower?",
        "\n".join(lines),
        *([f"**{plain(said)}**"] if (said := worth(comparison)) else []),
        pipe_table(compared_table(comparison)),
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
