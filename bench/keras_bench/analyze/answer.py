"""The verdict on a table, and the sentences that say it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from keras_bench.analyze.comparison import Figures, Row, Table
from keras_bench.analyze.memory import fit_together
from keras_bench.analyze.slices import grouped, weather
from keras_bench.analyze.stats import Estimate
from keras_bench.records import DEFAULT_LOOPS, FLOOR_LOOP, ArmResult, Run


def is_decided(row: Row) -> bool:
    """Tell whether a row is surely slower than the fastest: its interval lies above 1."""
    low = None if row.figures is None or row.figures.ratio is None else row.figures.ratio.low
    return low is not None and low > 1


def answers(table: Table) -> list[str]:
    """Say which backend trains the workload fastest, and what other loops gain over `fit`.

    Of several loops the default one and the fastest have a sentence each about the backends, and
    each backend has one about its loops.
    """
    if len(table.loops) == 1:
        return [answer(table)]
    fastest = [row.arm.loop for row in _that_count(table) if row.arm.loop != FLOOR_LOOP]
    told = [loop for loop in table.loops if loop in (table.loops[0], *fastest[:1])]
    by_loop = [(loop, _without_loop(table.of_loop(loop))) for loop in told]
    said = [f"By {loop}: {answer(rows)}" for loop, rows in by_loop if len(_that_count(rows)) > 1]
    backends = dict.fromkeys(row.arm.backend for row in table.rows)
    said += filter(None, (_loops_answer(table, backend) for backend in backends))
    return said or [answer(table)]


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
    low, high = speedup.low, speedup.high
    if low is not None and high is not None and low <= 1 <= high:
        return f"undecided ({span(speedup)})"
    return f"{times(speedup)} times as fast ({span(speedup)})"


def answer(table: Table) -> str:
    """Say which backend trains the workload fastest, or that it is undecided."""
    measured = _that_count(table)
    remark = _left_out(table)
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
    ratios = [each.ratio for each in figures if each.ratio is not None]
    what, estimates = (
        ("ratio", ratios)
        if ratios
        else (tables[0].words.one, [each.epoch_seconds for each in figures])
    )
    widest = max((estimate.half_width for estimate in estimates), default=None)
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
        f"The arms of {listed(split)} don't fit into {available / 2**30:.1f} GiB of memory"
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


def percent(share: float) -> str:
    """Write a share as a percentage with two figures, more where it is above 100."""
    return f"{float(f'{share:.2g}' if share < 1 else f'{share:.2f}') * 100:g}%"


def times(estimate: Estimate) -> str:
    """Write a ratio with as many decimals as its interval lets stand."""
    return f"{estimate.value:.{_decimals(estimate)}f}"


def span(estimate: Estimate) -> str:
    """Write a ratio's interval as "4.0 to 4.4"."""
    if estimate.low is None or estimate.high is None:
        return "one process, no interval"
    places = _decimals(estimate)
    return f"{estimate.low:.{places}f} to {estimate.high:.{places}f}"


def milliseconds(seconds: float) -> str:
    """Write seconds as milliseconds with three figures."""
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def listed(items: Sequence[str]) -> str:
    """Write "a", "a and b", or "a, b, and c"."""
    return " and ".join(items) if len(items) < 3 else f"{', '.join(items[:-1])}, and {items[-1]}"


def _that_count(table: Table) -> list[Row]:
    return [row for row in table.rows if row.counts]


def _left_out(table: Table) -> str:
    """Say which backends the answer leaves out, and why."""
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
    return f" ({'; '.join(remarks)})" if remarks else ""


def _times_as_fast(row: Row) -> str:
    estimate = _ratio(row)
    return f"{times(estimate)} times as fast as {row.arm.contender} ({span(estimate)})"


def _still_open(row: Row) -> str:
    estimate = _ratio(row)
    sentence = f"{row.arm.contender} takes {times(estimate)} times as long ({span(estimate)})"
    if estimate.half_width < 1:
        sentence += f", where a difference of {percent(estimate.half_width)} would have shown"
    return sentence


def _decimals(estimate: Estimate) -> int:
    """Return how many decimals show half of the interval's width, and on which side of 1 it is.

    Below 1 they are two at the least: 0.5 may be a half, or nearer to 0.45.
    """
    if estimate.low is None or estimate.high is None:
        return 1 if estimate.value >= 1 else 2
    width = estimate.high - estimate.low
    least = 1 if estimate.low >= 1 else 2
    places = max(least, min(5, math.ceil(-math.log10(width / 2)))) if width > 0 else 2
    ends = [end for end in (estimate.low, estimate.high) if end != 1]
    # An end beside 1 must not be written as 1: which side it is on is the verdict. Nor is any 0.
    while places < 5 and any(round(end, places) in (0, 1) for end in ends):
        places += 1
    return places


def _figures(row: Row) -> Figures:
    assert row.figures is not None
    return row.figures


def _ratio(row: Row) -> Estimate:
    estimate = _figures(row).ratio
    assert estimate is not None
    return estimate
