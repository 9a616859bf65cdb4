from dataclasses import replace
from io import StringIO

from builders import DIFFERS, MACHINE, failure
from comparing_builders import measured_arm, measured_run_of
from history_builders import history_rows_of, started

from keras_bench.analyze.compared import compare, compare_across_machines
from keras_bench.analyze.compared_answer import conclusion, worth
from keras_bench.report.compared import compared_table, markdown, print_comparison
from keras_bench.report.markdown import plain
from keras_bench.report.terminal import VisibleConsole

CALM = (0.0500, 0.0501, 0.0499, 0.0502, 0.0498, 0.0500)
SLOW = tuple(1.3 * seconds for seconds in CALM)
HISTORY = history_rows_of([0.0, 0.01, -0.01, 0.01, -0.01, 0.0, 0.01])
BEFORE = measured_run_of(
    measured_arm("jax", *CALM),
    measured_arm("torch", *CALM),
    measured_arm("tensorflow", *CALM),
    measured_arm("jax", *CALM, workload="other|net"),
    started_utc=started(10),
)
AFTER = measured_run_of(
    measured_arm("jax", *SLOW),
    measured_arm("torch", *SLOW),
    measured_arm("tensorflow", failure=failure()),
    measured_arm("jax", *CALM, workload="other|net", parity=DIFFERS),
    measured_arm("torch", *CALM, workload="new"),
    source="after",
    started_utc=started(12),
)
FOUND = compare(BEFORE, AFTER, HISTORY, 0.05)
ACROSS = compare_across_machines(
    BEFORE, replace(AFTER, machine=replace(MACHINE, cpu="Another CPU", fingerprint="ff")), 0.05
)


def row(number, comparison=FOUND):
    table = compared_table(comparison)
    return dict(zip(table.titles, table.rows[number], strict=True))


def printed(comparison, coloured=False, width=110):
    console = VisibleConsole(
        file=StringIO(),
        width=width,
        highlight=False,
        markup=False,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
    )
    print_comparison(console, comparison)
    return console.file.getvalue()


def test_a_row_has_the_epochs_of_both_and_both_intervals():
    texts = row(0)
    assert texts["epoch, ms"] == "50 → 65"
    assert texts["ratio"].startswith("1.300 (1.29")
    assert texts["lasting"].startswith("1.2")
    assert (texts["verdict"], texts["n"]) == ("regressed", "6 → 6")


def test_without_a_history_nothing_stands_for_what_lasts():
    assert (row(1)["lasting"], row(1)["verdict"]) == ("", "undecided")


def test_a_side_without_a_time_has_none():
    assert (row(2)["epoch, ms"], row(2)["ratio"], row(2)["n"]) == ("50 → none", "", "6 → 0")
    assert row(2)["verdict"] == "failed"
    assert (row(4)["epoch, ms"], row(4)["verdict"]) == ("none → 50", "missing")


def test_across_machines_the_ratio_to_the_fastest_is_a_column():
    assert "lasting" not in compared_table(ACROSS).titles
    assert row(0, ACROSS)["to the fastest"] == ""
    assert row(1, ACROSS)["to the fastest"].startswith("1.000 (0.99")


def test_terminal_and_markdown_say_what_the_conclusions_say():
    for comparison in (FOUND, ACROSS):
        terminal, page = printed(comparison), markdown(comparison)
        for pair in comparison.pairs:
            sentence = conclusion(pair, comparison).sentence
            assert f"{sentence}\n" in terminal
            assert f"- {plain(sentence)}\n" in page
        assert worth(comparison) in terminal
        assert f"**{plain(worth(comparison))}**" in page
        for texts in compared_table(comparison).rows:
            assert texts[2] in terminal


def test_the_page_has_the_table_and_where_it_comes_from():
    page = markdown(FOUND)
    assert "| workload   | backend    |" in page
    assert "- baseline: before (2026-01-01T01:40:00Z), candidate: after (" in page
    assert "- the same versions on both sides\n- threshold 0.05\n" in page
    assert page.count("fingerprint") == 1
    assert markdown(ACROSS).count("fingerprint") == 2
    assert page.endswith("\n")


def test_a_pipe_in_a_name_breaks_no_table():
    lines = [line for line in markdown(FOUND).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(FOUND.pairs)


def test_colour_is_for_terminals():
    assert "\x1b" not in printed(FOUND)
    assert "\x1b[1;31m" in printed(FOUND, coloured=True)


def test_a_row_of_the_shipped_workloads_fits_on_a_line():
    arm = measured_arm("tensorflow", *CALM, workload="dense_1_16_32_2")
    slow = replace(arm, process_epoch_seconds=SLOW, parity=DIFFERS)
    found = compare(
        measured_run_of(arm), measured_run_of(slow, started_utc=started(1)), HISTORY, 0.05
    )
    (line,) = [each for each in printed(found).splitlines() if "50 → 65" in each]
    assert "parity failed" in line
