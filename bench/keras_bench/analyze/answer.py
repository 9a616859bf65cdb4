"""The verdict on a table, and the sentences that say it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from keras_bench.analyze.comparison import Figures, Row, Table
from keras_bench.analyze.memory import fit_together
from keras_bench.analyze.numbers import milliseconds, percent, span, times, whole
from keras_bench.analyze.ratios import ratio_of
from keras_bench.analyze.slices import grouped, weather
from keras_bench.analyze.stats import Estimate
from keras_bench.records import DEFAULT_LOOPS, FLOOR_LOOP, ArmResult, Run


def is_decided(row: Row) -> bool:
    """Tell whether a row is surely slower than the fastest: its interval lies above 1."""
    ratio = None if row.figures is None else row.figures.ratio
    return ratio is not None and ratio.is_above_one


def answers(table: Table) -> list[str]:
    """Say which backend trains the workload fastest, and what other loops gain over `fit`.

    Of several loops the fastest of all has a sentence, the default one and the fastest have one
    each about the backends, and each backend has one about its loops.
    """
    if len(table.loops) == 1:
        return [answer(table)]
    fastest = [row.arm.loop for row in _that_count(table) if row.arm.loop != FLOOR_LOOP]
    told = [loop for loop in table.loops if loop in (table.loops[0], *fastest[:1])]
    by_loop = [(loop, _without_loop(table.of_loop(loop))) for loop in told]
    said = [_winner(table)]
    said += [f"By {loop}: {answer(rows)}" for loop, rows in by_loop if len(_that_count(rows)) > 1]
    backends = dict.fromkeys(row.arm.backend for row in table.rows)
    said += (_loops_answer(table, backend) for backend in backends)
    return list(filter(None, said)) or [answer(table)]


def _winner(table: Table) -> str:
    """Say which backend and loop are the fastest of all; nothing where one alone can be told.

    The bare network isn't trained by Keras, and wins nothing.
    """
    rows = [row for row in _that_count(table) if row.arm.loop != FLOOR_LOOP]
    if len(rows) < 2:
        return ""
    (first, *others), words = rows, table.words
    level = [row for row in others if not _is_slower(row, first)]
    if level:
        names = listed([_by_loop(row) for row in (first, *level)])
        return (
            f"undecided: what {words.does} {table.workload} fastest of all; it is one of {names}."
        )
    ratio = _ratio(others[0], first)
    assert ratio is not None
    return (
        f"{_by_loop(first)} {words.does} {table.workload} fastest of all: {times(ratio)} times as"
        f" fast as {_by_loop(others[0])} ({span(ratio)}), which is next."
    )


def _by_loop(row: Row) -> str:
    return f"{row.arm.backend} by {row.arm.loop}"


def _ratio(row: Row, first: Row) -> Estimate | None:
    return ratio_of(_figures(row).process_times, _figures(first).process_times)


def _is_slower(row: Row, first: Row) -> bool:
    ratio = _ratio(row, first)
    return ratio is not None and ratio.is_above_one


def _without_loop(table: Table) -> Table:
    """Return a table whose loop goes without saying, for its sentence begins with it."""
    default = DEFAULT_LOOPS[table.rows[0].arm.task]
    rows = (replace(row, arm=replace(row.arm, loop=default)) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _loops_answer(table: Table, backend: str) -> str:
    """Say how the loops of a backend compare with `fit`; nothing where that is unknown."""
    rows = [row for row in _that_count(table) if row.arm.backend == backend]
    speedups = [(row.arm.loop, _figures(row).speedup) for row in rows]
    said = [f"{loop} {_gain(speedup)}" for loop, speedup in speedups if speedup is not None]
    return f"On {backend}, compared with fit: {', '.join(said)}." if said else ""


def _gain(speedup: Estimate) -> str:
    """Say how many times as fast, or that it is undecided."""
    if not (speedup.is_above_one or speedup.is_below_one):
        return f"undecided ({span(speedup)})"
    return f"{times(speedup)} times as fast ({span(speedup)})"


def answer(table: Table) -> str:
    """Say which backend trains the workload fastest, or that it is undecided."""
    measured = _that_count(table)
    remark = _reserve(table)
    if not measured:
        return f"No time of {table.workload} can be offered{remark}."
    fastest, *others = measured
    name, words = fastest.arm.contender, table.words
    if not others:
        return (
            f"{name} {words.does_one} {table.workload} in"
            f" {milliseconds(_figures(fastest).epoch_seconds.value)} ms;"
            f" there is nothing to compare it with{remark}."
        )
    slower = [_times_as_fast(row) for row in others if is_decided(row)]
    level = [_still_open(row) for row in others if not is_decided(row)]
    if not slower:
        return (
            f"undecided: which backend {words.does} {table.workload} fastest;"
            f" against {name}, {listed(level)}{remark}."
        )
    sentence = f"{name} {words.does} {table.workload} {listed(slower)}"
    if level:
        sentence += f"; undecided against it: {listed(level)}"
    return f"{sentence}{remark}."


def ending(run: Run, tables: Sequence[Table]) -> str:
    """Say why the run ended where it did, and what that leaves open."""
    figures = [_figures(row) for table in tables for row in _that_count(table)]
    what, half_widths = "ratio", [_half_width(each) for each in figures if not each.is_fastest]
    if not half_widths:
        what, half_widths = tables[0].words.one, [each.epoch_seconds.half_width for each in figures]
    widest = max(half_widths, default=None)
    if widest is None:
        reached = "no figure to give"
    elif widest == math.inf:
        reached = "too few processes for an interval"
    else:
        reached = f"the widest interval is ±{percent(widest)}"
    wanted = f"±{percent(run.settings.precision)}"
    reasons = {
        "precise": f"Every {what} is known within {wanted}",
        "budget": f"No further round fits the budget of {run.settings.budget_seconds or 0:g} s",
        "rounds": "The run ended as asked",
        "failed": "Every arm failed",
        "interrupted": "INCOMPLETE: the run was interrupted",
    }
    rounds = "1 round" if run.rounds == 1 else f"{run.rounds} rounds"
    sentence = f"{reasons[run.stopped]} after {rounds}: {reached}"
    if run.stopped == "budget" and widest is not None and widest > run.settings.precision:
        sentence += f" (wanted {wanted}; a larger --budget narrows it)"
    of_weather = weather_sentence(grouped(run.results, lambda arm: arm.workload))
    return " ".join(filter(None, (f"{sentence}.", _memory_sentence(run), of_weather)))


def _half_width(figures: Figures) -> float:
    return math.inf if figures.ratio is None else figures.ratio.half_width


def _memory_sentence(run: Run) -> str:
    """Say which workloads' arms don't fit into memory together; empty where all do."""
    available = run.available_memory_bytes
    if available is None:
        return ""
    split = [
        group[0].arm.workload
        for group in grouped(run.results, lambda arm: arm.workload)
        if not fit_together(group, available)
    ]
    if not split:
        return ""
    return (
        f"The arms of {listed(split)} don't fit into {whole(available, 'B')} of memory"
        " together; a round measured some of them."
    )


def weather_sentence(groups: Iterable[Sequence[ArmResult]]) -> str:
    """Say what the machine did meanwhile and what is left of it; empty where that isn't known."""
    found = weather(groups)
    if found is None:
        return ""
    sentence = (
        f"From round to round the machine's speed varied by {percent(found.speed_deviation)},"
        f" and the ratios by {percent(found.ratio_deviation)}"
    )
    if found.sliced_to_free is not None:
        factor = f"{found.sliced_to_free:.2f}"
        sentence += f"; the same work took some {factor} times as long in slices as without"
    return f"{sentence}."


def listed(items: Sequence[str]) -> str:
    """Write "a", "a and b", or "a, b, and c"."""
    return " and ".join(items) if len(items) < 3 else f"{', '.join(items[:-1])}, and {items[-1]}"


def _that_count(table: Table) -> list[Row]:
    return [row for row in table.rows if row.counts]


def _reserve(table: Table) -> str:
    """Say which backends the answer leaves out and why, and whether the machine was busy."""
    unable = [row.arm.contender for row in table.rows if row.unsupported]
    failed = [
        row.arm.contender for row in table.rows if row.failure is not None and not row.unsupported
    ]
    odd = [
        row.arm.contender
        for row in table.rows
        if row.failure is None and row.parity.outcome == "differs"
    ]
    remarks = [f"{listed(unable)} can't train it"] if unable else []
    remarks += [f"{listed(failed)} failed"] if failed else []
    if odd:
        learns = table.words.err if len(odd) > 1 else table.words.errs
        remarks.append(f"{listed(odd)} {learns} something else, see its parity")
    remarks += [table.load_remark] if table.load_remark else []
    return f" ({'; '.join(remarks)})" if remarks else ""


def _times_as_fast(row: Row) -> str:
    estimate = _figures(row).ratio
    assert estimate is not None
    return f"{times(estimate)} times as fast as {row.arm.contender} ({span(estimate)})"


def _still_open(row: Row) -> str:
    estimate = _figures(row).ratio
    if estimate is None:
        return f"{row.arm.contender} has no ratio, which needs two processes of each"
    sentence = f"{row.arm.contender} takes {times(estimate)} times as long ({span(estimate)})"
    if estimate.half_width < 1:
        sentence += f", where a difference of {percent(estimate.half_width)} would have shown"
    return sentence


def _figures(row: Row) -> Figures:
    assert row.figures is not None
    return row.figures
