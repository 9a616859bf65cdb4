import re
from io import StringIO

import pytest
from builders import failed_row, row, run, table
from rich.console import Console

from bench.analyze.answer import answer, ending
from bench.analyze.diagnosis import Finding
from bench.analyze.stats import Estimate
from bench.report.columns import SPEED, cells
from bench.report.terminal import (
    PLAIN_WIDTH,
    make_console,
    print_findings,
    print_tables,
    print_warnings,
)

TABLE = table(
    row("jax"), row("tensorflow", Estimate(4.20, 4.00, 4.40)), failed_row("torch", "it died; look")
)
SPOILS = Finding("load", True, "50 % of the machine is busy", "wait until it is done")
FINE = Finding("power", False, "not on battery", "plug the machine in")

#: Colours, of the foreground or background; bold and dim are none.
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;m]")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch):
    for variable in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(*tables):
    console = Console(file=StringIO(), width=110, highlight=False)
    print_tables(console, run(), tables)
    return console.file.getvalue()


def test_a_row_is_printed_on_one_line_with_all_its_cells():
    lines = printed(TABLE).splitlines()
    for texts in cells(TABLE, SPEED):
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
