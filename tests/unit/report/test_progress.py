import re
from io import StringIO

import pytest
from builders import AGREES, DIFFERS, arm, failure, result, run, sample

from keras_bench.errors import WorkerDied
from keras_bench.records import Settings
from keras_bench.report.progress import LiveProgress, PlainProgress, draw_run, make_progress
from keras_bench.report.terminal import VisibleConsole

DIED = WorkerDied("net on torch", "the worker was killed", "it last printed: nothing")
MEASURED = run(
    result("jax", 0.1, 0.1, parity=AGREES),
    result("torch", 0.4, 0.4, parity=DIFFERS),
    result("tensorflow", failure=failure()),
    elapsed_seconds=61.0,
    rounds=2,
)


def console(terminal):
    return VisibleConsole(file=StringIO(), width=110, force_terminal=terminal, color_system=None)


def test_a_terminal_gets_the_live_display_and_anything_else_plain_lines():
    assert isinstance(make_progress(console(terminal=True), draw_run), LiveProgress)
    assert isinstance(make_progress(console(terminal=False), draw_run), PlainProgress)


def test_plain_progress_prints_a_line_per_worker():
    where = console(terminal=False)
    with make_progress(where, draw_run) as progress:
        for place, outcome in enumerate((sample(0.1, epochs=10), DIED), start=1):
            the_arm = arm("jax" if place == 1 else "torch")
            progress.starting(the_arm.name, place, 2, MEASURED)
            progress.finished(the_arm, outcome, MEASURED)
    first, second = where.file.getvalue().splitlines()
    assert " ".join(first.split()) == (
        "61 s round 3, 1/2 net[jax] 100 ms an epoch, 8 steady epochs, 6.0 s"
    )
    assert " ".join(second.split()) == f"61 s round 3, 2/2 net[torch] failed: {DIED}"


def test_plain_progress_prints_nothing_before_a_worker_has_ended():
    where = console(terminal=False)
    with make_progress(where, draw_run) as progress:
        progress.starting(arm("jax").name, 1, 2, MEASURED)
        assert where.file.getvalue() == ""


def test_plain_progress_has_no_escape_codes_and_does_not_wrap_a_long_message():
    where = console(terminal=False)
    long = WorkerDied("net on torch", "died " * 60, "look")
    with make_progress(where, draw_run) as progress:
        progress.starting(arm("torch").name, 1, 1, MEASURED)
        progress.finished(arm("torch"), long, MEASURED)
    text = where.file.getvalue()
    assert text.count("\n") == 1
    assert "\x1b" not in text


def live_text(known, *, finish=None):
    where = console(terminal=True)
    with make_progress(where, draw_run) as progress:
        if finish is not None:
            progress.finished(arm("torch"), finish, known)
        progress.starting(arm("jax").name, 2, 3, known)
        words = re.sub(r"[^\w\s.%±×()\[\],]", " ", where.file.getvalue())
        return " ".join(words.split())


def test_live_progress_names_what_runs_now():
    assert "measuring net[jax] worker 2 of 3 in round 3" in live_text(MEASURED)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(rounds=5), "2 of 5 rounds"),
        (
            Settings(budget_seconds=230.0, precision=0.05),
            "61 s of at most 230 s, until every ratio is within ±5%",
        ),
        (
            Settings(budget_seconds=None, precision=0.1),
            "61 s, until every ratio is within ±10%",
        ),
    ],
    ids=["rounds", "budget", "precision"],
)
def test_live_progress_names_what_is_left(settings, words):
    known = run(*MEASURED.results, settings=settings, elapsed_seconds=61.0)
    assert words in live_text(known)


def test_live_progress_shows_the_ratios_so_far():
    text = live_text(MEASURED, finish=sample(0.4))
    assert "jax ok 100 (100 to 100) 1 2 (16)" in text
    assert "torch FAILED 400 (400 to 400) 4.00 (4.00 to 4.00) 2 (16)" in text
    assert "tensorflow unchecked failed" in text


def test_live_progress_shows_no_table_before_anything_is_measured():
    assert "ratio to fastest" not in live_text(run(result("jax"), result("torch")))


def test_live_progress_prints_a_failure_when_it_happens():
    where = console(terminal=True)
    with make_progress(where, draw_run) as progress:
        progress.finished(arm("torch"), DIED, MEASURED)
        assert str(DIED) in where.file.getvalue()


def test_live_progress_is_wiped_at_the_end():
    where = console(terminal=True)
    with make_progress(where, draw_run) as progress:
        progress.starting(arm("jax").name, 1, 3, MEASURED)
        drawn = where.file.getvalue()
    erase_line_and_cursor_up = "\x1b[1A\x1b[2K"
    ending = where.file.getvalue().removeprefix(drawn)
    assert ending.count(erase_line_and_cursor_up) >= 2
    assert "net[jax]" not in ending.rpartition(erase_line_and_cursor_up)[2]
