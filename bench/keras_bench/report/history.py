"""A history on a terminal: the levels of each series, what shifted, and what to look at.

What a row and a sentence say is worked out here once, so that a page says the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.numbers import milliseconds, number, ratio_text, span, times, whole
from keras_bench.analyze.shifts import LEAST_RUNS, Level, Series, Shift, Stray
from keras_bench.analyze.words import WORDS
from keras_bench.records import Task
from keras_bench.report.columns import with_interval
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

#: What the figures of a level are.
CAPTION = "centre (95 % interval); ratio: to the level before"

#: How many warnings are printed; of a file that is broken throughout they are all the same.
WARNINGS_SHOWN = 10


@dataclass(frozen=True)
class LevelColumn:
    """A title, and the text of a level's cell; a series' first level has no shift before it.

    {one} in a title is what is timed. Its `rank` tells how soon a narrow terminal leaves it out.
    """

    title: str
    text: Callable[[Level, Shift | None], str]
    numeric: bool = True
    rank: int = 0


def _ratio(level: Level, shift: Shift | None) -> str:
    return "" if shift is None else ratio_text(shift.ratio)


def _changes(level: Level, shift: Shift | None) -> str:
    return "" if shift is None else ", ".join(shift.changes) or "nothing recorded"


LEVELS = (
    LevelColumn("from", lambda level, shift: _day(level.rows[0].started_utc), numeric=False),
    LevelColumn("to", lambda level, shift: _day(level.rows[-1].started_utc), numeric=False, rank=2),
    LevelColumn("runs", lambda level, shift: whole(len(level.rows)), rank=1),
    LevelColumn("{one}, ms", lambda level, shift: with_interval(level.epoch_seconds, milliseconds)),
    LevelColumn("ratio", _ratio),
    LevelColumn("what changed", _changes, numeric=False),
)


def levels_table(series: Series) -> TextTable:
    """Return a row for every level of a series."""
    return TextTable(_heads(series.key.task), _cells(series), caption=CAPTION)


def all_levels_table(series: Sequence[Series], task: Task) -> TextTable:
    """Return the same of several series, which are all of one task."""
    return TextTable(
        [Head("series"), *_heads(task)],
        [[heading(each), *texts] for each in series for texts in _cells(each)],
        caption=f"The level of every series of {WORDS[task].one}s: {CAPTION}",
    )


def _heads(task: Task) -> list[Head]:
    one = WORDS[task].one
    return [Head(each.title.format(one=one), each.numeric, each.rank) for each in LEVELS]


def _cells(series: Series) -> list[list[str]]:
    shifts = [None, *series.shifts]
    return [
        [column.text(level, shift) for column in LEVELS]
        for level, shift in zip(series.levels, shifts[: len(series.levels)], strict=True)
    ]


def heading(series: Series) -> str:
    """Say which series it is; what is as usual goes without saying."""
    arm = series.key
    said = [
        f"{arm.workload} on {arm.contender}",
        "" if arm.threads == "default" else f"threads {arm.threads}",
        "" if arm.task == "train" else f"task {arm.task}",
        arm.label,
        f"machine {arm.fingerprint}",
        _cores(arm.worker_cores),
    ]
    return ", ".join(filter(None, said))


def shift_sentence(shift: Shift) -> str:
    """Say what shifted, between which runs, and what changed with it."""
    before, after = shift.before, shift.after
    what = f"{WORDS[after.task].a_one} of {after.workload} on {after.contender}"
    sentence = (
        f"{what} takes {times(shift.ratio)} times as long"
        f" ({span(shift.ratio)}) from {_minute(after.started_utc)} on{_at(after.commit)}; the run"
        f" before is of {_minute(before.started_utc)}{_at(before.commit)}"
    )
    if shift.changes:
        return f"{sentence}; what changed: {', '.join(shift.changes)}"
    return (
        f"{sentence}; no version that is recorded changed: look at the workload's own file, other"
        " packages, and what else the machine did"
    )


def stray_sentence(stray: Stray) -> str:
    """Say that the newest run isn't explained, and what to do about it."""
    row, expected = stray.rows[-1], stray.expected
    assert expected.low is not None
    assert expected.high is not None
    if len(stray.rows) == 1:
        which = f"the newest run, of {_minute(row.started_utc)},"
        remedy = "one run is no level, so measure again"
    else:
        which = f"the newest of {len(stray.rows)} runs since {_minute(stray.rows[0].started_utc)}"
        remedy = f"{LEAST_RUNS} in a row are a level, so measure again"
    return (
        f"{row.workload} on {row.contender}: {which} took"
        f" {_finely(row.epoch_seconds)} ms {WORDS[row.task].a_one}, where"
        f" {_finely(expected.low)} to {_finely(expected.high)} ms were to be expected;"
        f" {remedy}"
    )


def left_out_sentence(series: Series) -> str:
    """Say how many runs stand for nothing, and why; nothing where there are none."""
    if not series.left_out:
        return ""
    runs = "1 run is" if series.left_out == 1 else f"{series.left_out} runs are"
    erred = WORDS[series.key.task].erred
    return f"{runs} left out: the arm failed, or its backend {erred} something else"


def print_history(console: Console, series: Sequence[Series], warnings: Sequence[str] = ()) -> None:
    """Print a table of levels per series with its shifts below it, and all warnings at the end."""
    for each in series:
        console.print()
        console.print(Text(heading(each), style="bold"))
        if each.levels:
            print_table(console, levels_table(each))
        if remark := left_out_sentence(each):
            console.print(Text(remark, style="dim"))
        for shift in each.shifts:
            style = "red" if shift.ratio.value > 1 else "green"
            console.print(Text(f"- {shift_sentence(shift)}", style=style))
    strays = [stray_sentence(each.stray) for each in series if each.stray is not None]
    hidden = len(warnings) - WARNINGS_SHOWN
    said = [*strays, *warnings[:WARNINGS_SHOWN]]
    if hidden > 0:
        said.append(f"{hidden} more lines are left out for reasons like these")
    if said:
        console.print()
    for warning in said:
        console.print(Text(f"warning: {warning}", style="yellow"))


def _cores(count: int) -> str:
    """Write how many cores the worker had, nothing where it isn't known."""
    if not count:
        return ""
    return "1 core" if count == 1 else f"{count} cores"


def _finely(seconds: float) -> str:
    """Write milliseconds with a figure more than a table, so that what lies beside a bound does."""
    return number(seconds * 1e3)


def _day(started_utc: str) -> str:
    return started_utc[:10]


def _minute(started_utc: str) -> str:
    return f"{started_utc[:10]} {started_utc[11:16]} UTC"


def _at(commit: str) -> str:
    return f" (commit {commit})" if commit else ""
