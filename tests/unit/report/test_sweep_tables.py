from io import StringIO

import pytest
from builders import DIFFERS, FIRST_LOOK, around, failure, gate, sample, side
from markdown_it import MarkdownIt

from keras_bench.analyze.gate_answer import ending
from keras_bench.analyze.sweep import sweep
from keras_bench.records import GateSettings
from keras_bench.report.sweep import CAPTION, HEADS, markdown, print_sweep, remarks, sweep_table
from keras_bench.report.terminal import VisibleConsole

CALM = [0.1 * (1 + each) for each in around(0.0, 2 * FIRST_LOOK, spread=0.002)]
SLOWER = [0.13] * 2 * FIRST_LOOK

KNOWN = gate(
    side("1.0", *CALM),
    side("1.1", *SLOWER),
    side("1.2", failure=failure()),
    side("1.3", parity=DIFFERS),
    side("1.4", *SLOWER),
)


def printed(known, coloured=False):
    console = VisibleConsole(
        file=StringIO(),
        width=120,
        highlight=False,
        markup=False,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
    )
    print_sweep(console, known, sweep(known))
    return console.file.getvalue()


def inline(text):
    tokens = MarkdownIt().enable("table").parse(text)
    return [
        "".join(child.content if child.type != "softbreak" else " " for child in token.children)
        for token in tokens
        if token.type == "inline"
    ]


def test_a_row_holds_the_epoch_both_ratios_and_the_verdict():
    first, slower, failed, odd, same = sweep_table(sweep(KNOWN)).rows
    assert (first[:2], first[3:]) == (["1.0", "jax"], ["1", "", ""])
    assert first[2].startswith("100")
    assert slower[3].startswith("1.300 (1.29")
    assert slower[4].startswith("1.300 (1.29")
    assert slower[5] == "regressed"
    assert failed == ["1.2", "jax", "", "", "", "failed"]
    assert odd == ["1.3", "jax", "", "", "", "parity failed"]
    # It is compared with 1.1, the last before it that could be measured.
    assert same[3].startswith("1.300 (")
    assert same[4].startswith("1.00")
    assert same[5] == "unchanged"
    assert {len(each) for each in sweep_table(sweep(KNOWN)).rows} == {len(HEADS)}


def test_a_busy_machine_marks_the_verdict():
    busy = [sample(0.1, round=number, other_busy_cores=1.5) for number in (1, 2)]
    known = gate(side("1.0", *busy), side("1.1", *busy))
    _, later = sweep_table(sweep(known)).rows
    assert later[5] == "undecided, on a busy machine"


def test_without_a_common_round_there_is_no_ratio_to_the_first():
    known = gate(side("1.0", sample(0.1, round=1)), side("1.1", sample(0.1, round=2)))
    first, later = sweep_table(sweep(known)).rows
    assert (first[3], later[3]) == ("1", "")


def test_one_with_nothing_before_it_to_compare_with_has_not_failed():
    known = gate(side("1.0", failure=failure()), side("1.1"))
    assert [sweep_table([row]).rows[0][5] for row in sweep(known)] == ["failed", ""]
    known = gate(side("1.0", parity=DIFFERS), side("1.1"))
    assert [sweep_table([row]).rows[0][5] for row in sweep(known)] == ["parity failed", ""]


def test_failures_odd_parity_and_rounds_left_out_are_remarked():
    jumped = sample(epoch_seconds=(1.0, -0.1, 0.1), round=2)
    rows = sweep(
        gate(
            side("1.0", 0.1, jumped),
            side("1.1", 0.1, 0.1),
            side("1.2", failure=failure()),
            side("1.3", parity=DIFFERS),
        )
    )
    assert [remarks(row) for row in rows] == [
        [],
        ["1.1 on jax: round 2 left out: the clock jumped"],
        [f"1.2 on jax failed: {failure().message}"],
        [f"1.3 on jax: {DIFFERS.summary}"],
    ]


def test_every_workload_has_a_table_and_the_ending_stands_once():
    known = gate(*[side(each, 0.1, workload=name) for name in ("one", "two") for each in "ab"])
    text = printed(known)
    lines = [line.strip() for line in text.splitlines()]
    assert lines.count("one") == lines.count("two") == 1
    assert lines.count(ending(known)) == 1
    assert lines[-1] == ending(known)


def test_rows_and_remarks_are_printed():
    text = printed(KNOWN)
    for row in sweep(KNOWN):
        assert any(
            all(cell in line for cell in sweep_table([row]).rows[0]) for line in text.splitlines()
        )
        for remark in remarks(row):
            assert f"{remark}\n" in text
    assert CAPTION in " ".join(text.split())


def test_a_regression_is_red_and_what_is_not_compared_has_no_colour():
    lines = printed(KNOWN, coloured=True).splitlines()
    (slower,) = (line for line in lines if "regressed" in line)
    assert "\x1b[1;31m" in slower
    (first,) = (line for line in lines if "1.0 " in line and "jax" in line)
    assert "\x1b[3" not in first


def test_square_brackets_are_no_markup():
    assert "1.0[/red]" in printed(gate(side("1.0[/red]", 0.1), side("1.1", 0.1)))


@pytest.mark.parametrize("name", ["net", "small_cnn", "a|b", "*it* <b>"])
def test_a_page_holds_the_same_as_the_terminal(name):
    known = gate(
        side("1.0", sample(0.1, round=1, cpus=(1,)), workload=name),
        side("1.1", failure=failure(), workload=name),
        settings=GateSettings(threshold=0.025, metric="cpu", seed=3, cpu=1),
    )
    rows = sweep(known)
    text = markdown(known, rows)
    assert inline(text) == [
        name,
        *sweep_table([]).titles,
        *sweep_table([rows[0]]).rows[0],
        *sweep_table([rows[1]]).rows[0],
        *remarks(rows[1]),
        f"{CAPTION[0].upper()}{CAPTION[1:]}.",
        ending(known),
        "2026-01-02T03:04:05Z, threshold 0.025, CPU time, threads single, pinned to core 1, seed 3",
        "Some CPU, 4 of 8 cores, 32 GiB, Linux 6.1, fingerprint 0123abcd",
    ]
    assert text.endswith("0123abcd\n")
