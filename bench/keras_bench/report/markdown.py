"""Tables in GitHub-flavoured Markdown."""

import re
from collections.abc import Sequence

from tabulate import tabulate

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even_answer import loops_answers
from keras_bench.analyze.comparison import Table
from keras_bench.records import Machine, Run
from keras_bench.report.columns import (
    details,
    notes,
    remarks,
    speed,
    text_table,
    versions,
)
from keras_bench.report.text_table import TextTable
from keras_bench.report.titles import run_title
from keras_bench.report.visible import in_a_line

#: What Markdown may take for more than itself; an underscore within a word it doesn't.
MARKUP = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")


def document(run: Run, tables: Sequence[Table]) -> str:
    """Return a whole page: the answers first, then the tables, then where they come from."""
    settings = run.settings
    parts = [f"# {plain(run_title([row.arm for table in tables for row in table.rows]))}"]
    if not run.complete:
        parts.append("**Incomplete: the run was interrupted, and what it had measured is here.**")
    said = [each for table in tables for each in (*answers(table), *loops_answers(run, table))]
    parts.append("\n".join(f"- {plain(each)}" for each in said))
    for table in tables:
        parts += [
            f"## {plain(table.workload)}",
            pipe_table(text_table(table, speed(table))),
            pipe_table(text_table(table, details(table))),
        ]
        parts += [_versions(table)]
        if odd := dict.fromkeys(remarks(table)):
            parts.append("\n".join(f"- **{plain(remark)}**" for remark in odd))
        if known := dict.fromkeys(notes(table)):
            parts.append("\n".join(f"- {plain(note)}" for note in known))
    parts.append("## Where this comes from")
    parts.append(
        f"- {ending(run, tables)}\n"
        f"- {run.started_utc}, {run.elapsed_seconds:.0f} s, seed {settings.seed},"
        f" threads {settings.threads}\n"
        f"- {described(run.machine)}"
    )
    return "\n\n".join(parts) + "\n"


def pipe_table(table: TextTable) -> str:
    """Return the heads and rows of a table; the columns that are numeric stand to the right."""
    return tabulate(
        [[plain(text) for text in texts] for texts in table.rows],
        headers=table.titles,
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if head.numeric else "left" for head in table.heads],
    )


def plain(text: str) -> str:
    """Escape what Markdown would take for markup, in the names and messages of others.

    They are of one line.
    """
    return MARKUP.sub(r"\\\g<0>", in_a_line(text))


def described(machine: Machine) -> str:
    """Return a line about a machine."""
    return (
        f"{machine.cpu}, {machine.usable_cores} of {machine.logical_cores} cores,"
        f" {machine.memory_gib} GiB, {machine.system} {machine.system_release},"
        f" fingerprint {machine.fingerprint}"
    )


def _versions(table: Table) -> str:
    lines = []
    for row in table.rows:
        lines.append(f"- {row.arm.contender}: {versions(row)}")
    return "\n".join(lines)
