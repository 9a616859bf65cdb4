"""The sections of a page: what is said of a run, a gate, a sweep, a comparison, and a history."""

from collections.abc import Sequence
from dataclasses import replace

from bench.analyze.answer import answer, ending
from bench.analyze.break_even import break_evens
from bench.analyze.break_even_answer import answer as break_even_answer
from bench.analyze.compared import Comparison
from bench.analyze.compared_answer import answer as compared_answer
from bench.analyze.compared_answer import remarks as compared_remarks
from bench.analyze.compared_answer import runs as compared_runs
from bench.analyze.compared_answer import versions as compared_versions
from bench.analyze.compared_answer import worth
from bench.analyze.comparison import Table, tables
from bench.analyze.diagnosis import diagnose
from bench.analyze.gate_answer import answer as gate_answer
from bench.analyze.gate_answer import ending as gate_ending
from bench.analyze.gate_answer import remarks as gate_remarks
from bench.analyze.pairs import pairs
from bench.analyze.shifts import Series
from bench.analyze.stats import Estimate
from bench.analyze.sweep import sweep
from bench.analyze.words import WORDS, Words
from bench.records import ArmResult, Gate, Machine, Run, Surroundings
from bench.report import compared as compared_tables
from bench.report import findings
from bench.report import gate as gate_tables
from bench.report import sweep as sweep_tables
from bench.report.columns import (
    DETAILS,
    SPEED,
    Column,
    cells,
    interval_record,
    is_numeric,
    notes,
    record,
    remarks,
    titles,
    versions,
)
from bench.report.history import (
    LEVELS,
    heading,
    left_out_sentence,
    level_cells,
    level_titles,
    shift_sentence,
    stray_sentence,
)
from bench.report.markdown import described
from bench.report.page import change_figures, run_figures
from bench.report.page.content import Figure, Grid, Lines, Section

INTERVALS = "centre (95 % interval); n: processes (steady {one}s in all)"
EPOCHS_NOTE = (
    "Each numbered stroke is a process from left to right, and each point {a_time}. Triangles are"
    " the first {one} and the warm-up, which don't count; those slower than the scale lie at its"
    " upper edge. The dotted line is the {one} of the table."
)
GATE_TITLE = "Is the candidate slower?"
SWEEP_TITLE = "Which version trains fastest on this CPU"

Block = Lines | Grid | Figure


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
        short.append(Lines([answer(table)], "answer"))
        short += _known(run_figures.ratio_figure(table, domain))
    short += _warnings(run.surroundings)
    return (
        Section("In short", short),
        *(_workload(table, run) for table in compared),
        _origin(
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
        *_epoch_parts(table.words, epochs),
        Section(
            f"First {one}, and break-even" if trained else f"First {one}",
            [
                *_known(run_figures.first_epoch_figure(table)),
                *([Lines([break_even_answer(each) for each in found], "list")] if found else []),
                *_known(run_figures.total_figure(trained, found)),
            ],
        ),
        Section("Memory", _known(run_figures.memory_figure(results))),
        Section(
            "Losses" if trained else "Parity",
            [
                Lines(list(dict.fromkeys(row.parity.summary for row in table.rows)), "list"),
                *_known(run_figures.parity_figure(results)),
                *_known(run_figures.losses_figure(results)),
            ],
        ),
        Section(
            "Details",
            [
                _run_grid(table, DETAILS, "What explains it", run.complete),
                Lines([f"{row.arm.backend}: {versions(row)}" for row in table.rows], "list"),
            ],
        ),
    ]
    return Section(
        table.workload,
        [
            _run_grid(table, SPEED, INTERVALS.format(one=one), run.complete),
            *([Lines(said, "warning")] if said else []),
        ],
        [part for part in parts if part.blocks],
    )


def _run_grid(table: Table, columns: Sequence[Column], caption: str, complete: bool) -> Grid:
    return Grid(
        caption,
        titles(table, columns),
        is_numeric(columns),
        cells(table, columns),
        [record(row, complete) for row in table.rows],
    )


def gate_sections(gate: Gate) -> tuple[Section, ...]:
    """Return what a gate found, or a sweep where its arms have other labels than a gate's."""
    found = _sweep(gate) if is_sweep(gate) else (_gate(gate),)
    settings = gate.settings
    pinned = "" if (core := gate_tables.pinned_to(gate)) is None else f", pinned to core {core}"
    origin = _origin(
        gate.machine,
        gate.surroundings,
        [
            gate_ending(gate),
            f"{gate.started_utc}, threshold {settings.threshold:.3g}, {gate_tables.clocks(gate)},"
            f" threads {settings.threads}{pinned}, seed {settings.seed}",
        ],
    )
    cut = "Incomplete: it was interrupted, and what it had measured is here."
    warning = () if gate.complete else (Section("Incomplete", [Lines([cut], "warning")]),)
    return (*warning, *found, origin)


def is_sweep(gate: Gate) -> bool:
    """Tell whether this was measured by `versions`: a gate has a baseline and a candidate."""
    return not {each.arm.environment.label for each in gate.results} <= {"baseline", "candidate"}


def _gate(gate: Gate) -> Section:
    found = pairs(gate)
    records = [
        {
            "arm": f"{pair.candidate.arm.workload}, {pair.candidate.arm.backend}",
            "backend": pair.candidate.arm.backend,
            **interval_record("ratio", pair.judgement.ratio),
            "text": ""
            if (ratio := pair.judgement.ratio) is None
            else gate_tables.ratio_text(ratio),
        }
        for pair in found
    ]
    said = [
        f"{pair.candidate.arm.backend}: {remark}" for pair in found for remark in gate_remarks(pair)
    ]
    return Section(
        "In short",
        [
            *[Lines([gate_answer(pair, gate.settings.threshold)], "answer") for pair in found],
            *([Lines(said, "list")] if said else []),
            *_known(change_figures.paired_figure(records)),
            _text_grid(
                gate_tables.CAPTION,
                gate_tables.TITLES,
                gate_tables.NUMERIC,
                [gate_tables.cells(pair) for pair in found],
            ),
            *_warnings(gate.surroundings),
        ],
        _epoch_parts(WORDS[gate.results[0].arm.task], _labelled_epochs(gate.results)),
    )


def _sweep(gate: Gate) -> tuple[Section, ...]:
    rows = sweep(gate)
    sections = []
    for workload in dict.fromkeys(row.result.arm.workload for row in rows):
        part = [row for row in rows if row.result.arm.workload == workload]
        said = list(dict.fromkeys(remark for row in part for remark in sweep_tables.remarks(row)))
        sections.append(
            Section(
                f"{workload}, version by version",
                [
                    *_known(change_figures.sweep_figure(workload, part)),
                    _text_grid(
                        sweep_tables.CAPTION,
                        sweep_tables.TITLES,
                        sweep_tables.NUMERIC,
                        [sweep_tables.cells(row) for row in part],
                    ),
                    *([Lines(said, "list")] if said else []),
                    *_warnings(gate.surroundings),
                ],
            )
        )
    return tuple(sections)


def _labelled_epochs(results: Sequence[ArmResult]) -> list[Figure]:
    return [
        replace(
            run_figures.epochs_figure(each),
            title=f"{each.arm.workload}, {each.arm.backend}, {each.arm.environment.label}",
        )
        for each in results
        if each.samples
    ]


def _epoch_parts(words: Words, figures: Sequence[Figure]) -> list[Section]:
    if not figures:
        return []
    note = EPOCHS_NOTE.format(one=words.one, a_time=words.a_time)
    return [Section(f"Every {words.kept} as it came", [Lines([note]), *figures])]


def compared_section(comparison: Comparison) -> Section:
    """Return how two runs compare, and why they can't where they can't."""
    records = [
        {
            "arm": f"{pair.workload}, {pair.backend}",
            "backend": pair.backend,
            **interval_record("ratio", pair.lasting or pair.ratio),
            "text": f"{_ratio_text(pair.lasting or pair.ratio)} {pair.outcome}",
        }
        for pair in comparison.pairs
    ]
    lines = [compared_answer(pair, comparison) for pair in comparison.pairs]
    said = [
        f"{pair.workload} on {pair.backend}: {remark}"
        for pair in comparison.pairs
        for remark in compared_remarks(pair)
    ]
    return Section(
        GATE_TITLE,
        [
            Lines([compared_runs(comparison), compared_versions(comparison)], "list"),
            *([Lines([why], "warning")] if (why := worth(comparison)) else []),
            *_known(change_figures.paired_figure(records)),
            _text_grid(
                compared_tables.caption(comparison),
                compared_tables.titles(comparison),
                compared_tables.NUMERIC,
                [compared_tables.cells(pair, comparison) for pair in comparison.pairs],
            ),
            Lines([*lines, *said], "list"),
        ],
    )


def incomparable_section(reason: str) -> Section:
    """Return why two runs can't be compared at all."""
    return Section(GATE_TITLE, [Lines([reason], "warning")])


def history_section(found: Sequence[Series], left_out: Sequence[str]) -> Section | None:
    """Return the levels of series over time and their shifts; None where there are no runs."""
    if not found:
        return None
    strays = [stray_sentence(each.stray) for each in found if each.stray is not None]
    shifts = [shift_sentence(shift) for each in found for shift in each.shifts]
    said = [f"{heading(each)}: {remark}" for each in found if (remark := left_out_sentence(each))]
    blocks: list[Block] = []
    if warnings := [*strays, *left_out]:
        blocks.append(Lines(warnings, "warning"))
    if shifts:
        blocks.append(Lines(shifts, "list"))
    for workload, task in dict.fromkeys((each.key.workload, each.key.task) for each in found):
        mine = [each for each in found if (each.key.workload, each.key.task) == (workload, task)]
        blocks += _known(change_figures.history_figure(mine))
    for task in dict.fromkeys(each.key.task for each in found):
        blocks.append(
            _text_grid(
                f"The level of every series of {WORDS[task].one}s: centre (95 % interval)",
                ["series", *level_titles(task)],
                [False, *(column.numeric for column in LEVELS)],
                [
                    [heading(each), *texts]
                    for each in found
                    if each.key.task == task
                    for texts in level_cells(each)
                ],
            )
        )
    if said:
        blocks.append(Lines(said, "list"))
    return Section("History", blocks)


def _origin(machine: Machine, surroundings: Surroundings | None, facts: Sequence[str]) -> Section:
    """Return the machine and what was seen of it, so that a page stands by itself."""
    blocks: list[Block] = [Lines([*facts, described(machine)], "list")]
    if surroundings is None:
        blocks.append(Lines(["What went on around this run wasn't kept when it was measured."]))
    else:
        rows = [findings.cells(each) for each in diagnose(surroundings)]
        caption = "What was seen of the machine when it began"
        blocks.append(_text_grid(caption, findings.TITLES, [False] * 4, rows))
    return Section("Where this comes from", blocks)


def _warnings(surroundings: Surroundings | None) -> list[Lines]:
    """Return what spoilt timings when they were measured."""
    if surroundings is None:
        return []
    said = [findings.warning(each) for each in diagnose(surroundings) if each.spoils]
    return [Lines(said, "warning")] if said else []


def _text_grid(
    caption: str, heads: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]
) -> Grid:
    """Return a table whose figures are downloaded as they are written."""
    names = [head or "finding" for head in heads]
    records = [dict(zip(names, texts, strict=True)) for texts in rows]
    return Grid(caption, names, numeric, rows, records)


def _ratio_text(ratio: Estimate | None) -> str:
    return "" if ratio is None else gate_tables.ratio_text(ratio)


def _known(figure: Figure | None) -> list[Figure]:
    return [] if figure is None else [figure]
