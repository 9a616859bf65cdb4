"""Tables in GitHub-flavoured Markdown."""

import re
from collections.abc import Sequence

from tabulate import tabulate

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even_answer import loops_answers
from keras_bench.analyze.comparison import Table
from keras_bench.analyze.words import Words
from keras_bench.records import Machine, Run
from keras_bench.report.columns import (
    DETAILS,
    Column,
    cells,
    is_numeric,
    notes,
    remarks,
    speed,
    titles,
    versions,
)
from keras_bench.report.visible import in_a_line

#: What Markdown may take for more than itself; an underscore within a word it doesn't.
MARKUP = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")


def title(words: Words) -> str:
    """Return the question that a page answers."""
    return f"Which backend {words.verb} fastest on this CPU"


def document(run: Run, tables: Sequence[Table]) -> str:
    """Return a whole page: the answers first, then the tables, then where they come from."""
    settings = run.settings
    parts = [f"# {title(tables[0].words)}"]
    if not run.complete:
        parts.append("**Incomplete: the run was interrupted, and what it had measured is here.**")
    said = [each for table in tables for each in (*answers(table), *loops_answers(run, table))]
    parts.append("\n".join(f"- {plain(each)}" for each in said))
    for table in tables:
        parts += [
            f"## {plain(table.workload)}",
            _markdown(table, speed(table)),
            _markdown(table, DETAILS),
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


def pipe_table(
    titles: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]
) -> str:
    """Return a table of plain texts; the columns that are numeric stand to the right."""
    return tabulate(
        [[plain(text) for text in texts] for texts in rows],
        headers=titles,
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if each else "left" for each in numeric],
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


def _markdown(table: Table, columns: Sequence[Column]) -> str:
    return pipe_table(titles(table, columns), is_numeric(table, columns), cells(table, columns))


def _versions(table: Table) -> str:
    lines = []
    for row in table.rows:
        lines.append(f"- {row.arm.contender}: {versions(row)}")
    return "\n".join(lines)
