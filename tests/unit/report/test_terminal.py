import re
from io import StringIO

import pytest
from builders import AGREES, DIFFERS, EXPLAINED, failed_row, row, run, table, unmeasured_row

from keras_bench.analyze.answer import answer, ending
from keras_bench.analyze.diagnosis import Finding
from keras_bench.analyze.stats import Estimate
from keras_bench.records import UNCHECKED
from keras_bench.report.columns import SPEED, text_table
from keras_bench.report.run import print_tables
from keras_bench.report.terminal import (
    PLAIN_WIDTH,
    VisibleConsole,
    make_console,
    print_findings,
    print_warnings,
)

WIDE = Estimate(4.20, 4.00, 4.40)
TABLE = table(row("jax"), row("tensorflow", WIDE), failed_row("torch", "it died; look"))
SPOILS = Finding("load", True, "50 % of the machine is busy", "wait until it is done")
FINE = Finding("power", False, "not on battery", "plug the machine in")

#: Colours, of the foreground or background; bold and dim are none.
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;m]")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch):
    for variable in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(*tables, coloured=False):
    system = "standard" if coloured else None
    console = VisibleConsole(
        file=StringIO(), width=110, highlight=False, force_terminal=coloured, color_system=system
    )
    print_tables(console, run(), tables)
    return console.file.getvalue()


def test_a_row_is_printed_on_one_line_with_all_its_cells():
    lines = printed(TABLE).splitlines()
    for texts in text_table(TABLE, SPEED).rows:
        assert any(all(text in line for text in texts) for line in lines)


def test_rows_are_printed_in_the_tables_order():
    text = printed(TABLE)
    order = [re.search(rf"^ +{name} ", text, re.M).start() for name in ("jax", "tensorflow")]
    assert order == sorted(order)


def test_the_answer_the_failure_and_the_ending_follow_the_table():
    text = " ".join(printed(TABLE).split())
    place = 0
    for part in ("it died; look", answer(TABLE), ending(run(), [TABLE])):
        place = text.index(part, place)


def test_what_is_not_a_terminal_gets_no_escape_codes(capsys):
    console = make_console()
    print_tables(console, run(), [TABLE])
    print_findings(console, [SPOILS, FINE])
    print_warnings(console, [SPOILS])
    text = capsys.readouterr().out
    assert "jax" in text
    assert "\x1b" not in text


def test_what_is_not_a_terminal_is_not_cut_to_80_characters(capsys):
    print_tables(make_console(), run(), [TABLE])
    lines = capsys.readouterr().out.splitlines()
    assert 80 < max(map(len, lines)) <= PLAIN_WIDTH


def test_a_forced_terminal_gets_colours(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_tables(make_console(), run(), [TABLE])
    assert COLOUR.search(capsys.readouterr().out)


def test_no_color_is_respected_on_a_forced_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    console = make_console()
    print_tables(console, run(), [TABLE])
    print_findings(console, [SPOILS, FINE])
    print_warnings(console, [SPOILS])
    text = capsys.readouterr().out
    assert "jax" in text
    assert not COLOUR.search(text)


def test_only_what_spoils_timings_gets_a_remedy(capsys):
    print_findings(make_console(), [SPOILS, FINE])
    spoils, fine = (
        line
        for line in capsys.readouterr().out.splitlines()
        if any(finding.subject in line for finding in (SPOILS, FINE))
    )
    assert "spoils" in spoils
    assert SPOILS.remedy in spoils
    assert "ok" in fine
    assert FINE.seen in fine
    assert FINE.remedy not in fine


def test_only_what_spoils_timings_is_warned_of(capsys):
    print_warnings(make_console(), [SPOILS, FINE])
    assert capsys.readouterr().out == (
        "warning: load: 50 % of the machine is busy; wait until it is done\n"
    )


@pytest.mark.parametrize(
    "parity", [AGREES, EXPLAINED, DIFFERS, UNCHECKED], ids=lambda parity: parity.outcome
)
def test_a_row_of_any_outcome_is_printed_on_one_line(parity):
    known = table(row("jax", parity=parity), row("tensorflow", WIDE, parity=parity))
    lines = printed(known).splitlines()
    for texts in text_table(known, SPEED).rows:
        assert any(all(text in line for text in texts) for line in lines)


def test_the_outcome_stands_beside_every_backend():
    text = printed(
        table(
            row("jax", parity=EXPLAINED),
            row("torch", WIDE, failed="died later", parity=DIFFERS),
            failed_row("tensorflow", parity=UNCHECKED),
        ),
        table(unmeasured_row("jax", parity=AGREES)),
    )
    for beginning in (
        "jax explained 57.1",
        "torch (failed later) FAILED",
        "tensorflow unchecked failed",
    ):
        assert any(" ".join(line.split()).startswith(beginning) for line in text.splitlines())
    assert "jax ok not measured" in " ".join(text.split())


@pytest.mark.parametrize("parity", [EXPLAINED, DIFFERS, UNCHECKED], ids=lambda it: it.outcome)
def test_odd_parity_is_told_once_before_the_answer(parity):
    odd = table(
        row("jax"), row("tensorflow", WIDE, parity=parity), row("torch", WIDE, parity=parity)
    )
    text = printed(odd)
    assert text.count(f"parity: {parity.summary}\n") == 1
    assert text.index(parity.summary) < text.index(" ".join(answer(odd).split()[:3]))


@pytest.mark.parametrize("parity", [AGREES, EXPLAINED, UNCHECKED], ids=lambda it: it.outcome)
def test_the_fastest_is_green_where_it_counts(parity):
    text = printed(table(row("jax", parity=parity), row("torch", WIDE)), coloured=True)
    fastest, other = (
        next(line for line in text.splitlines() if backend in line) for backend in ("jax", "torch")
    )
    assert "\x1b[32m" in fastest
    assert "\x1b[32m" not in other


@pytest.mark.parametrize(
    "the_table",
    [
        table(row("jax", parity=DIFFERS), row("torch", WIDE, parity=DIFFERS)),
        table(row("jax", failed="died later"), failed_row("torch")),
        table(row("jax")),
    ],
    ids=["all learn something else", "all failed", "one alone"],
)
def test_nothing_is_green_where_there_is_no_fastest_that_counts(the_table):
    assert "\x1b[32m" not in printed(the_table, coloured=True)


def lines_at(width, monkeypatch, capsys, *tables_):
    monkeypatch.setenv("COLUMNS", str(width))
    print_tables(make_console(), run(), tables_)
    return capsys.readouterr().out.splitlines()


def test_80_columns_are_enough_and_what_matters_less_is_left_out_by_name(monkeypatch, capsys):
    lines = lines_at(80, monkeypatch, capsys, TABLE)
    shown = [line for line in lines if line.startswith(("  jax", "  tensorflow", "  torch"))]
    assert len(shown) == 3
    assert "57.1" in shown[0]
    assert "4.2 (4.0 to 4.4)" in shown[1]
    assert max(map(len, shown)) <= 80
    assert "not at this width: examples/s, first epoch, s" in " ".join(" ".join(lines).split())


def test_a_wider_terminal_shows_every_column(monkeypatch, capsys):
    text = "\n".join(lines_at(200, monkeypatch, capsys, TABLE))
    assert "not at this width" not in text
    assert all(title in text for title in text_table(TABLE, SPEED).titles)


def test_columns_that_matter_stay_where_even_they_have_no_room(monkeypatch, capsys):
    name = "dense_" * 20
    text = "\n".join(lines_at(80, monkeypatch, capsys, table(row(name), row("torch", WIDE))))
    assert "4.2" in text
    # What is too long for its column goes on below: nothing is cut.
    assert "…" not in text


def test_a_sentence_is_wrapped_at_words_on_a_terminal_and_nowhere_else(monkeypatch, capsys):
    sentence = "word " * 60
    monkeypatch.setenv("COLUMNS", "80")
    make_console().print(sentence)
    assert capsys.readouterr().out == f"{sentence}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    make_console().print(sentence)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
