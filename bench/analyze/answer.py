"""The verdict on a table, and the sentences that say it."""

from collections.abc import Sequence

from bench.analyze.comparison import Figures, Row, Table
from bench.analyze.stats import Estimate
from bench.records import Run


def is_decided(row: Row) -> bool:
    """Tell whether a row is surely slower than the fastest: its interval lies above 1."""
    low = None if row.figures is None or row.figures.ratio is None else row.figures.ratio.low
    return low is not None and low > 1


def answer(table: Table) -> str:
    """Say which backend trains the workload fastest, or that it is undecided."""
    measured = [row for row in table.rows if row.figures is not None]
    failed = [row.arm.backend for row in table.rows if row.failure is not None]
    remark = f" ({listed(failed)} failed)" if failed else ""
    if not measured:
        return f"{table.workload} was not measured{remark}."
    fastest, *others = measured
    name = fastest.arm.backend
    if not others:
        return (
            f"{name} trains an epoch of {table.workload} in"
            f" {milliseconds(_figures(fastest).epoch_seconds.value)} ms;"
            f" there is nothing to compare it with{remark}."
        )
    slower = [_times_as_fast(row) for row in others if is_decided(row)]
    level = [_still_open(row) for row in others if not is_decided(row)]
    if not slower:
        return (
            f"undecided: which backend trains {table.workload} fastest;"
            f" against {name}, {listed(level)}{remark}."
        )
    sentence = f"{name} trains {table.workload} {listed(slower)}"
    if level:
        sentence += f"; undecided against it: {listed(level)}"
    return f"{sentence}{remark}."


def ending(run: Run, tables: Sequence[Table]) -> str:
    """Say why the run ended where it did, and what that leaves open."""
    ratios = [
        row.figures.ratio.half_width
        for table in tables
        for row in table.rows
        if row.figures is not None and row.figures.ratio is not None
    ]
    widest = max(ratios, default=None)
    wanted = f"±{run.settings.precision:.0%}"
    if widest is None:
        reached = "no ratio to give"
    elif widest == float("inf"):
        reached = "too few processes for an interval"
    else:
        reached = f"the widest interval of a ratio is ±{widest:.1%}"
    reasons = {
        "precise": f"Every ratio is known within {wanted}",
        "budget": f"The budget of {run.settings.budget_seconds or 0:g} s was spent",
        "rounds": "The run ended as asked",
        "failed": "Every arm failed",
        "interrupted": "INCOMPLETE: the run was interrupted",
    }
    rounds = "1 round" if run.rounds == 1 else f"{run.rounds} rounds"
    sentence = f"{reasons[run.stopped]} after {rounds}: {reached}"
    if run.stopped == "budget" and widest is not None and widest > run.settings.precision:
        sentence += f" (wanted {wanted}; a larger --budget narrows it)"
    return f"{sentence}."


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


def _times_as_fast(row: Row) -> str:
    estimate = _ratio(row)
    return f"{times(estimate)} times as fast as {row.arm.backend} ({span(estimate)})"


def _still_open(row: Row) -> str:
    estimate = _ratio(row)
    sentence = f"{row.arm.backend} takes {times(estimate)} times as long ({span(estimate)})"
    if estimate.low is not None:
        sentence += f", where a difference of {estimate.half_width:.1%} would have shown"
    return sentence


def _decimals(estimate: Estimate) -> int:
    if estimate.low is None or estimate.high is None:
        return 1
    return 2 if estimate.high - estimate.low < 0.2 else 1


def _figures(row: Row) -> Figures:
    assert row.figures is not None
    return row.figures


def _ratio(row: Row) -> Estimate:
    estimate = _figures(row).ratio
    assert estimate is not None
    return estimate
