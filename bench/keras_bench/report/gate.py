"""What a gate found, for people: on a terminal and in Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.answer import listed
from keras_bench.analyze.clocks import CLOCK_NAMES, clock_of
from keras_bench.analyze.conclusion import Outcome
from keras_bench.analyze.gate_answer import (
    answer,
    changes,
    ending,
    outcome,
    remarks,
    visible,
)
from keras_bench.analyze.numbers import milliseconds, ratio_text
from keras_bench.analyze.pairs import Pair, pairs
from keras_bench.analyze.stats import Estimate
from keras_bench.records import Gate
from keras_bench.report.markdown import described, pipe_table, plain
from keras_bench.report.progress import Shown, draw_spent
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

#: What annotations and test reports are headed by.
TITLE = "keras-bench gate"

HEADS = (
    Head("workload"),
    Head("backend"),
    Head("baseline, ms", numeric=True, rank=2),
    Head("candidate, ms", numeric=True, rank=3),
    Head("ratio", numeric=True),
    Head("verdict"),
    Head("sees", numeric=True, rank=1),
    Head("n", numeric=True, rank=4),
)
CAPTION = (
    "ratio: candidate ÷ baseline (95 % interval); sees: the smallest change that would have"
    " shown; n: rounds until the verdict"
)
STYLES: dict[Outcome, str] = {
    "regressed": "bold red",
    "improved": "green",
    "failed": "red",
    "parity failed": "red",
    "undecided": "yellow",
}


def gate_table(found: Sequence[Pair], caption: str = CAPTION) -> TextTable:
    """Return a row for every pair."""
    styles = [STYLES.get(outcome(pair), "") for pair in found]
    return TextTable(HEADS, [_cells(pair) for pair in found], styles, caption=caption)


def _cells(pair: Pair) -> list[str]:
    ratio, label = pair.judgement.ratio, pair.candidate.arm.environment.label
    return [
        # Of a sweep, several pairs have one workload.
        pair.baseline.arm.workload + ("" if label == "candidate" else f", {label}"),
        pair.baseline.arm.contender,
        _milliseconds(pair.baseline_epoch),
        _milliseconds(pair.candidate_epoch),
        "" if ratio is None else ratio_text(ratio),
        outcome(pair),
        visible(pair),
        str(pair.judgement.rounds),
    ]


def draw_gate(gate: Gate) -> list[Shown]:
    """Draw how much of the budget is spent, and what is known so far."""
    budget = gate.settings.budget_seconds
    words = f"{gate.elapsed_seconds:.0f} s of at most {budget:.0f} s, until all is decided"
    known = [pair for pair in pairs(gate) if pair.judgement.rounds]
    return [
        draw_spent(gate.elapsed_seconds, budget, words),
        *([gate_table(known, "")] if known else []),
    ]


def print_gate(console: Console, gate: Gate, found: Sequence[Pair]) -> None:
    """Print the table, a sentence per pair, and why the gate ended."""
    console.print()
    print_table(console, gate_table(found))
    for pair in found:
        style = STYLES.get(outcome(pair), "")
        console.print(Text(answer(pair, gate.settings.threshold), style=style))
        for remark in dict.fromkeys(remarks(pair)):
            console.print(Text(f"  {remark}", style="yellow"))
    console.print(Text(ending(gate)))


def markdown(gate: Gate, found: Sequence[Pair]) -> str:
    """Return the gate as a section in GitHub-flavoured Markdown."""
    lines = []
    for pair in found:
        lines.append(f"- {plain(answer(pair, gate.settings.threshold))}")
        lines += [f"  - {plain(remark)}" for remark in dict.fromkeys(remarks(pair))]
    settings = gate.settings
    compared = {
        changes(pair.baseline.arm.environment, pair.candidate.arm.environment): None
        for pair in found
    }
    pinned = "" if (cores := pinned_to(gate)) is None else f", pinned to core {cores}"
    return "\n\n".join(
        [
            "## Is the candidate slower?",
            "\n".join(lines),
            pipe_table(gate_table(found)),
            f"{CAPTION}.",
            f"- compared: {plain('; '.join(compared))}\n"
            f"- {ending(gate)}\n"
            f"- {gate.started_utc}, threshold {settings.threshold:.3g}, {clocks(gate)},"
            f" threads {settings.threads}{pinned}, seed {settings.seed}\n"
            f"- {described(gate.machine)}",
        ]
    ) + "\n"  # fmt: skip


def clocks(gate: Gate) -> str:
    """Name the clock that counts, or the clocks where backends have different ones."""
    backends = dict.fromkeys(result.arm.backend for result in gate.results)
    names = {CLOCK_NAMES[clock_of(gate.settings.metric, backend)]: None for backend in backends}
    return listed(tuple(names))


def pinned_to(gate: Gate) -> str | None:
    """Return the core that all workers ran on, None where they had a choice."""
    cores = {sample.cpus for result in gate.results for sample in result.samples}
    return str(*cores.pop()) if len(cores) == 1 and len(next(iter(cores))) == 1 else None


def _milliseconds(epoch: Estimate | None) -> str:
    return "" if epoch is None else milliseconds(epoch.value)
