"""The sections of what changed: a gate, a sweep, a comparison of two runs, and the history."""

from collections.abc import Sequence
from dataclasses import replace

from keras_bench.analyze.compared import Comparison
from keras_bench.analyze.compared_answer import answer as compared_answer
from keras_bench.analyze.compared_answer import remarks as compared_remarks
from keras_bench.analyze.compared_answer import runs as compared_runs
from keras_bench.analyze.compared_answer import versions as compared_versions
from keras_bench.analyze.compared_answer import worth
from keras_bench.analyze.gate_answer import answer as gate_answer
from keras_bench.analyze.gate_answer import ending as gate_ending
from keras_bench.analyze.gate_answer import remarks as gate_remarks
from keras_bench.analyze.numbers import ratio_text
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.shifts import Series
from keras_bench.analyze.slices import grouped
from keras_bench.analyze.stats import Estimate
from keras_bench.analyze.sweep import sweep
from keras_bench.analyze.words import WORDS
from keras_bench.records import ArmResult, Gate
from keras_bench.report import compared as compared_tables
from keras_bench.report import gate as gate_tables
from keras_bench.report import sweep as sweep_tables
from keras_bench.report.columns import interval_record
from keras_bench.report.history import (
    all_levels_table,
    heading,
    left_out_sentence,
    shift_sentence,
    stray_sentence,
)
from keras_bench.report.page import change_figures, run_figures
from keras_bench.report.page.content import Figure, Lines, Section
from keras_bench.report.page.parts import (
    Block,
    epoch_parts,
    known,
    origin,
    text_grid,
    warnings,
    weather_part,
)

GATE_TITLE = "Is the candidate slower?"


def gate_sections(gate: Gate) -> tuple[Section, ...]:
    """Return what a gate found, or a sweep where its arms have other labels than a gate's."""
    found = _sweep(gate) if is_sweep(gate) else (_gate(gate),)
    settings = gate.settings
    pinned = "" if (core := gate_tables.pinned_to(gate)) is None else f", pinned to core {core}"
    comes_from = origin(
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
    return (*warning, *found, comes_from)


def is_sweep(gate: Gate) -> bool:
    """Tell whether this was measured by `versions`: a gate has a baseline and a candidate."""
    return not {each.arm.environment.label for each in gate.results} <= {"baseline", "candidate"}


def _gate(gate: Gate) -> Section:
    found = pairs(gate)
    records = [
        {
            "arm": f"{pair.candidate.arm.workload}, {pair.candidate.arm.contender}",
            "contender": pair.candidate.arm.contender,
            **interval_record("ratio", pair.judgement.ratio),
            "text": "" if (ratio := pair.judgement.ratio) is None else ratio_text(ratio),
        }
        for pair in found
    ]
    said = [
        f"{pair.candidate.arm.contender}: {remark}"
        for pair in found
        for remark in gate_remarks(pair)
    ]
    return Section(
        "In short",
        [
            *[Lines([gate_answer(pair, gate.settings.threshold)], "answer") for pair in found],
            *([Lines(said, "list")] if said else []),
            *known(change_figures.paired_figure(records)),
            text_grid(gate_tables.gate_table(found)),
            *warnings(gate.surroundings),
        ],
        [
            *epoch_parts(WORDS[gate.results[0].arm.task], _labelled_epochs(gate.results)),
            *_weather_parts(gate.results),
        ],
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
                    *known(change_figures.sweep_figure(workload, part)),
                    text_grid(sweep_tables.sweep_table(part)),
                    *([Lines(said, "list")] if said else []),
                    *warnings(gate.surroundings),
                ],
            )
        )
    return tuple(sections)


def _weather_parts(results: Sequence[ArmResult]) -> list[Section]:
    parts = [weather_part(group) for group in grouped(results, lambda arm: arm.group)]
    return [part for part in parts if part.blocks]


def _labelled_epochs(results: Sequence[ArmResult]) -> list[Figure]:
    return [
        replace(
            run_figures.epochs_figure(each),
            title=f"{each.arm.workload}, {each.arm.contender}, {each.arm.environment.label}",
        )
        for each in results
        if each.samples
    ]


def compared_section(comparison: Comparison) -> Section:
    """Return how two runs compare, and why they can't where they can't."""
    records = [
        {
            "arm": f"{pair.workload}, {pair.contender}",
            "contender": pair.contender,
            **interval_record("ratio", pair.lasting or pair.ratio),
            "text": f"{_ratio_text(pair.lasting or pair.ratio)} {pair.outcome}",
        }
        for pair in comparison.pairs
    ]
    lines = [compared_answer(pair, comparison) for pair in comparison.pairs]
    said = [
        f"{pair.workload} on {pair.contender}: {remark}"
        for pair in comparison.pairs
        for remark in compared_remarks(pair)
    ]
    return Section(
        GATE_TITLE,
        [
            Lines([compared_runs(comparison), compared_versions(comparison)], "list"),
            *([Lines([why], "warning")] if (why := worth(comparison)) else []),
            *known(change_figures.paired_figure(records)),
            text_grid(compared_tables.compared_table(comparison)),
            Lines([*lines, *said], "list"),
        ],
    )


def incomparable_section(reason: str) -> Section:
    """Return why two runs can't be compared at all."""
    return Section(GATE_TITLE, [Lines([reason], "warning")])


def history_section(found: Sequence[Series], left_out: Sequence[str]) -> Section | None:
    """Return the levels of series over time and their shifts; None where there's nothing to say."""
    if not found and not left_out:
        return None
    strays = [stray_sentence(each.stray) for each in found if each.stray is not None]
    shifts = [shift_sentence(shift) for each in found for shift in each.shifts]
    said = [f"{heading(each)}: {remark}" for each in found if (remark := left_out_sentence(each))]
    blocks: list[Block] = []
    if odd := [*strays, *left_out]:
        blocks.append(Lines(odd, "warning"))
    if shifts:
        blocks.append(Lines(shifts, "list"))
    for workload, task in dict.fromkeys((each.key.workload, each.key.task) for each in found):
        mine = [each for each in found if (each.key.workload, each.key.task) == (workload, task)]
        blocks += known(change_figures.history_figure(mine))
    for task in dict.fromkeys(each.key.task for each in found):
        mine = [each for each in found if each.key.task == task]
        blocks.append(text_grid(all_levels_table(mine, task)))
    if said:
        blocks.append(Lines(said, "list"))
    return Section("History", blocks)


def _ratio_text(ratio: Estimate | None) -> str:
    return "" if ratio is None else ratio_text(ratio)
