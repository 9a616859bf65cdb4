"""The sections of a run: the answers, its workloads one by one, and where it comes from."""

from collections.abc import Sequence

from keras_bench.analyze.answer import answers, ending
from keras_bench.analyze.break_even import break_evens
from keras_bench.analyze.break_even_answer import answer as break_even_answer
from keras_bench.analyze.comparison import Table, tables
from keras_bench.records import Run
from keras_bench.report.columns import (
    Column,
    caption,
    details,
    notes,
    record,
    remarks,
    speed,
    text_table,
    versions,
)
from keras_bench.report.page import learning_figures, loop_figures, run_figures
from keras_bench.report.page.content import Grid, Lines, Section
from keras_bench.report.page.parts import Block, epoch_parts, known, origin, warnings, weather_part


def run_sections(run: Run) -> tuple[Section, ...]:
    """Return what a run found: the answers, a section per workload, and where it comes from."""
    compared = tables(run)
    domain = run_figures.ratio_domain(compared)
    short: list[Block] = []
    if not run.complete:
        short.append(
            Lines(
                ["Incomplete: the run was interrupted, and what it had measured is here."],
                "warning",
            )
        )
    for table in compared:
        short.append(Lines(answers(table), "answer"))
        figure = loop_figures.loops_figure(table) or run_figures.ratio_figure(table, domain)
        short += known(figure)
    short += warnings(run.surroundings)
    return (
        Section("In short", short),
        *(_workload(table, run) for table in compared),
        origin(
            run.machine,
            run.surroundings,
            [
                ending(run, compared),
                f"{run.started_utc}, {run.elapsed_seconds:.0f} s, seed {run.settings.seed},"
                f" threads {run.settings.threads}",
            ],
        ),
    )


def _workload(table: Table, run: Run) -> Section:
    by_arm = {each.arm: each for each in run.results}
    results = [by_arm[row.arm] for row in table.rows]
    said = list(dict.fromkeys([*remarks(table), *notes(table)]))
    one = table.words.one
    # A prediction's calls are kept in blocks, which tell no training of so many epochs.
    trained = [each for each in results if each.arm.task == "train"]
    found = break_evens(trained)
    epochs = [run_figures.epochs_figure(each) for each in results if each.samples]
    parts = [
        *epoch_parts(table.words, epochs),
        weather_part(results),
        Section(
            f"First {one}, and break-even" if trained else f"First {one}",
            [
                *known(run_figures.first_epoch_figure(table)),
                *([Lines([break_even_answer(each) for each in found], "list")] if found else []),
                *known(run_figures.total_figure(trained, found)),
            ],
        ),
        Section("Memory", known(run_figures.memory_figure(results))),
        Section(
            "Losses" if trained else "Parity",
            [
                Lines(list(dict.fromkeys(row.parity.summary for row in table.rows)), "list"),
                *known(learning_figures.parity_figure(results)),
                *learning_figures.metric_figures(results),
            ],
        ),
        Section(
            "Details",
            [
                _run_grid(table, details(table), "What explains it", run.complete),
                Lines([f"{row.arm.contender}: {versions(row)}" for row in table.rows], "list"),
            ],
        ),
    ]
    return Section(
        table.workload,
        [
            _run_grid(table, speed(table), caption(table), run.complete),
            *([Lines(said, "warning")] if said else []),
        ],
        [part for part in parts if part.blocks],
    )


def _run_grid(table: Table, columns: Sequence[Column], caption: str, complete: bool) -> Grid:
    records = [record(row, complete) for row in table.rows]
    return Grid(text_table(table, columns, caption), records)
