"""Tables in GitHub-flavoured Markdown."""

from collections.abc import Sequence

from tabulate import tabulate

from bench.analyze.answer import answer, ending
from bench.analyze.comparison import Table
from bench.records import Run
from bench.report.columns import (
    DETAILS,
    SPEED,
    Column,
    cells,
    is_numeric,
    remarks,
    titles,
    versions,
)


def document(run: Run, tables: Sequence[Table]) -> str:
    """Return a whole page: the answers first, then the tables, then where they come from."""
    machine = run.machine
    settings = run.settings
    parts = ["# Which backend trains fastest on this CPU"]
    if not run.complete:
        parts.append("**Incomplete: the run was interrupted, and what it had measured is here.**")
    parts.append("\n".join(f"- {answer(table)}" for table in tables))
    for table in tables:
        parts += [f"## {table.workload}", _markdown(table, SPEED), _markdown(table, DETAILS)]
        parts += [_versions(table)]
        if said := dict.fromkeys(remarks(table)):
            parts.append("\n".join(f"- **{remark}**" for remark in said))
    parts.append("## Where this comes from")
    parts.append(
        f"- {ending(run, tables)}\n"
        f"- {run.started_utc}, {run.elapsed_seconds:.0f} s, seed {settings.seed},"
        f" threads {settings.threads}\n"
        f"- {machine.cpu}, {machine.usable_cores} of {machine.logical_cores} cores,"
        f" {machine.memory_gib} GiB, {machine.system} {machine.system_release},"
        f" fingerprint {machine.fingerprint}"
    )
    return "\n\n".join(parts) + "\n"


def _markdown(table: Table, columns: Sequence[Column]) -> str:
    return tabulate(
        cells(table, columns),
        headers=titles(columns),
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if numeric else "left" for numeric in is_numeric(columns)],
    )


def _versions(table: Table) -> str:
    lines = []
    for row in table.rows:
        lines.append(f"- {row.arm.backend}: {versions(row)}")
    return "\n".join(lines)
