from io import StringIO

import numpy as np
import pytest
from history_builders import history_rows_of

from keras_bench.analyze.shifts import find_series
from keras_bench.report.history import (
    LEVELS,
    WARNINGS_SHOWN,
    heading,
    left_out_sentence,
    levels_table,
    print_history,
    shift_sentence,
    stray_sentence,
)
from keras_bench.report.terminal import VisibleConsole

NOISE = np.random.default_rng(0).normal(0, 0.01, 24)
LOGS = np.repeat([0.0, 0.2, -0.1], 8) + NOISE
ROWS = history_rows_of(LOGS)
NEWER = history_rows_of(LOGS, keras_version="3.16.0", commit="ba9876543210")
SHIFTING = find_series(ROWS[:8] + NEWER[8:])
STRAYING = find_series(history_rows_of([*NOISE, 0.5]))


def printed(series, warnings=(), width=110, coloured=False):
    console = VisibleConsole(
        file=StringIO(),
        width=width,
        highlight=False,
        markup=False,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
    )
    print_history(console, series, warnings)
    return console.file.getvalue()


def test_a_level_has_a_cell_for_each_column():
    (series,) = SHIFTING
    cells = levels_table(series).rows
    assert {len(texts) for texts in cells} == {len(LEVELS)}
    first, second, third = (
        dict(zip([column.title.format(one="epoch") for column in LEVELS], texts, strict=True))
        for texts in cells
    )
    assert first["from"] == "2026-01-01"
    assert first["runs"] == "8"
    assert first["ratio"] == first["what changed"] == ""
    assert first["epoch, ms"].startswith("50")
    assert second["ratio"].startswith("1.2")
    assert second["what changed"] == "keras 3.15.1 → 3.16.0"
    assert third["ratio"].startswith("0.7")
    assert third["what changed"] == "nothing recorded"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "net on jax, machine 0123abcd, 2 cores"),
        ({"worker_cores": 0}, "net on jax, machine 0123abcd"),
        (
            {"threads": "single", "loop": "steps", "label": "baseline", "worker_cores": 1},
            "net on jax steps, threads single, baseline, machine 0123abcd, 1 core",
        ),
    ],
)
def test_a_heading_says_which_series_it_is(changes, said):
    (series,) = find_series(history_rows_of([0.0], **changes))
    assert heading(series) == said


def test_a_shift_is_a_sentence_with_its_runs_and_what_changed():
    (series,) = SHIFTING
    slower, faster = map(shift_sentence, series.shifts)
    for part in (
        "an epoch of net on jax takes 1.2",
        "from 2026-01-01 01:20 UTC on (commit ba9876543210)",
        "the run before is of 2026-01-01 01:10 UTC (commit 0123456789ab)",
    ):
        assert part in slower
    assert slower.endswith("what changed: keras 3.15.1 → 3.16.0")
    assert "takes 0.7" in faster
    assert "no version that is recorded changed" in faster


def test_a_stray_run_is_told_with_what_was_to_be_expected():
    (series,) = STRAYING
    said = stray_sentence(series.stray)
    assert "of 2026-01-01 04:00 UTC, took 82.44 ms an epoch" in said
    assert said.endswith("one run is no level, so measure again")


def test_several_stray_runs_are_told_with_the_first_of_them():
    (series,) = find_series(history_rows_of([*NOISE, 0.5, 0.5]))
    said = stray_sentence(series.stray)
    assert "the newest of 2 runs since 2026-01-01 04:00 UTC took 82.44 ms" in said
    assert said.endswith("5 in a row are a level, so measure again")


def test_what_was_left_out_is_counted():
    one, more = (
        find_series(history_rows_of([0.0]) + history_rows_of([0.0] * count, failed=True))
        for count in (1, 2)
    )
    assert left_out_sentence(SHIFTING[0]) == ""
    assert left_out_sentence(one[0]).startswith("1 run is left out")
    assert left_out_sentence(more[0]).startswith("2 runs are left out")
    assert "2 runs are left out" in printed(more)


def test_every_level_is_printed_on_one_line_and_its_shifts_follow():
    (series,) = SHIFTING
    text = printed(SHIFTING)
    for texts in levels_table(series).rows:
        assert any(all(cell in line for cell in texts) for line in text.splitlines())
    place = 0
    for part in (heading(series), "ratio", *map(shift_sentence, series.shifts)):
        place = text.index(part, place)


def test_warnings_come_last():
    broken = "results/history.csv, line 3: left out"
    text = printed([*STRAYING, *SHIFTING], [broken])
    warned = f"warning: {stray_sentence(STRAYING[0].stray)}\nwarning: {broken}\n"
    assert text.endswith(f"\n{warned}")


def test_many_warnings_are_counted():
    text = printed((), [f"line {number}" for number in range(WARNINGS_SHOWN + 5)])
    assert f"line {WARNINGS_SHOWN - 1}\n" in text
    assert f"line {WARNINGS_SHOWN}\n" not in text
    assert "5 more lines" in text


def test_a_series_of_failures_alone_is_named_without_a_table():
    text = printed(find_series(history_rows_of([0.0, 0.0], failed=True)))
    assert "net on jax" in text
    assert "runs are left out" in text
    assert LEVELS[0].title not in text.split("machine")[0]
    assert "ratio to the level" not in text


def test_a_shift_to_slower_is_red_and_one_to_faster_green():
    text = printed(SHIFTING, coloured=True)
    slower, faster = (line for line in text.splitlines() if "- an epoch of" in line)
    assert "\x1b[31m" in slower
    assert "\x1b[32m" in faster


def test_names_are_printed_as_they_are():
    series = find_series(history_rows_of([0.0], workload="[red]net[/red] :smile:"))
    assert "[red]net[/red] :smile:" in printed(series)
