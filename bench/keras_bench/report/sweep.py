"""What a sweep over versions found, on a terminal and in Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.conclusion import Outcome
from keras_bench.analyze.gate_answer import ending, outcome
from keras_bench.analyze.gate_answer import remarks as pair_remarks
from keras_bench.analyze.numbers import milliseconds, ratio_text
from keras_bench.analyze.sweep import SweepRow
from keras_bench.records import Gate
from keras_bench.report.columns import with_interval
from keras_bench.report.gate import STYLES, clocks, pinned_to
from keras_bench.report.markdown import described, pipe_table, plain
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

HEADS = (
    Head("version"),
    Head("backend"),
    Head("epoch, ms", numeric=True, rank=1),
    Head("ratio to the first", numeric=True, rank=2),
    Head("to the one before", numeric=True),
    Head("verdict"),
)
CAPTION = (
    "ratios with 95 % intervals; those to the one before hold at every look, and the verdict is"
    " read off them"
)


def sweep_table(rows: Sequence[SweepRow], workload: str = "") -> TextTable:
    """Return a row for every version."""
    styles = [STYLES.get(found, "") if (found := _outcome(row)) else "" for row in rows]
    return TextTable(HEADS, [_cells(row) for row in rows], styles, workload, CAPTION)


def _cells(row: SweepRow) -> list[str]:
    arm, judged = row.result.arm, row.pair and row.pair.judgement
    to_first = ratio_text(row.to_first) if row.to_first else ""
    return [
        arm.environment.label,
        arm.backend,
        "" if row.epoch is None else with_interval(row.epoch, milliseconds),
        "1" if row.is_first else to_first,
        ratio_text(judged.ratio) if judged and judged.ratio else "",
        _verdict(row),
    ]


def remarks(row: SweepRow) -> list[str]:
    """Return what is to be said of a row beside its figures."""
    label = f"{row.result.arm.environment.label} on {row.result.arm.backend}"
    if row.result.failure is not None:
        return [f"{label} failed: {row.result.failure.message}"]
    if row.result.parity.outcome == "differs":
        return [f"{label}: {row.result.parity.summary}"]
    return [] if row.pair is None else [f"{label}: {said}" for said in pair_remarks(row.pair)]


def print_sweep(console: Console, gate: Gate, rows: Sequence[SweepRow]) -> None:
    """Print a table per workload, what is to be said of its rows, and why the sweep ended."""
    for workload, part in _by_workload(rows):
        console.print()
        print_table(console, sweep_table(part, workload))
        for remark in dict.fromkeys(said for row in part for said in remarks(row)):
            console.print(Text(remark, style="yellow"))
    console.print(Text(ending(gate)))


def markdown(gate: Gate, rows: Sequence[SweepRow]) -> str:
    """Return the sweep as tables in GitHub-flavoured Markdown."""
    settings = gate.settings
    parts = []
    for workload, part in _by_workload(rows):
        parts += [f"## {plain(workload)}", pipe_table(sweep_table(part))]
        if said := dict.fromkeys(said for row in part for said in remarks(row)):
            parts.append("\n".join(f"- {plain(remark)}" for remark in said))
    pinned = "" if (cores := pinned_to(gate)) is None else f", pinned to core {cores}"
    parts.append(
        f"{CAPTION[0].upper()}{CAPTION[1:]}.\n\n"
        f"- {ending(gate)}\n"
        f"- {gate.started_utc}, threshold {settings.threshold:.3g}, {clocks(gate)},"
        f" threads {settings.threads}{pinned}, seed {settings.seed}\n"
        f"- {described(gate.machine)}"
    )
    return "\n\n".join(parts) + "\n"


def _verdict(row: SweepRow) -> str:
    """Return what came of a version, marked where other programs kept the machine busy."""
    found = _outcome(row) or ""
    if found in ("", "failed", "parity failed") or row.pair is None or not row.pair.load_remark:
        return found
    return f"{found}, on a busy machine"


def _by_workload(rows: Sequence[SweepRow]) -> list[tuple[str, list[SweepRow]]]:
    names = dict.fromkeys(row.result.arm.workload for row in rows)
    return [(name, [row for row in rows if row.result.arm.workload == name]) for name in names]


def _outcome(row: SweepRow) -> Outcome | None:
    """Return what came of a version: none where there was nothing to compare it with."""
    if row.result.failure is not None:
        return "failed"
    if row.result.parity.outcome == "differs":
        return "parity failed"
    return None if row.pair is None else outcome(row.pair)
