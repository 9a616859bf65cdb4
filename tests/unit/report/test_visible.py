"""What others have written is seen, and not obeyed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from keras_bench.report.markdown import plain
from keras_bench.report.terminal import make_console
from keras_bench.report.visible import as_it_was, in_a_line, no_formula, visible

CLIPBOARD = "\x1b]52;c;cm0gLXJm\x07"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        (CLIPBOARD, "\\x1b]52;c;cm0gLXJm\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"),
        ("± é 漢 😀\ttab\nline", "± é 漢 😀\ttab\nline"),
    ],
)
def test_control_characters_are_shown(text, seen):
    assert visible(text) == seen


@pytest.mark.parametrize("colour", [False, True])
def test_nothing_that_is_printed_commands_a_terminal(monkeypatch, capsys, colour):
    if colour:
        monkeypatch.setenv("FORCE_COLOR", "1")
    console = make_console()
    console.print(f"a\x1b[2Jb{CLIPBOARD}", style="red")
    console.print(Text(f"\x1b]0;title\x07{CLIPBOARD}", style="dim"), soft_wrap=True)
    printed = capsys.readouterr().out
    # The colours of the console itself are all that is left.
    assert ("\x1b[31m" in printed) == colour
    assert "\x1b[2J" not in printed
    assert "\x1b]" not in printed
    assert "\\x1b[2Jb" in printed


@given(st.text())
def test_a_line_stays_one(text):
    assert len(in_a_line(text).splitlines()) <= 1
    assert len(plain(text).splitlines()) <= 1


@given(st.text())
def test_no_cell_is_a_formula_and_each_comes_back(text):
    cell = no_formula(text)
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert as_it_was(cell) == text or text.startswith("'")
    written = io.StringIO()
    csv.writer(written).writerow([no_formula(in_a_line(text))])
    assert written.getvalue().count("\n") == 1
