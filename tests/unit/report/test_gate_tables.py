import re
from dataclasses import replace
from io import StringIO

import pytest
from builders import (
    DIFFERS,
    ENVIRONMENT,
    EXPLAINED,
    FIRST_LOOK,
    UNCHECKABLE,
    around,
    failure,
    gate,
    sample,
    side,
    two_sides,
)
from markdown_it import MarkdownIt

from keras_bench.analyze.gate_answer import answer, conclusion, ending
from keras_bench.analyze.numbers import ratio_text
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.stats import Estimate
from keras_bench.errors import WorkerDied
from keras_bench.records import GateSettings
from keras_bench.report.gate import (
    CAPTION,
    HEADS,
    TITLE,
    draw_gate,
    gate_table,
    markdown,
    print_gate,
)
from keras_bench.report.github import annotations
from keras_bench.report.terminal import VisibleConsole

UNCHANGED = two_sides(around(0.0, FIRST_LOOK), workload="unchanged")
REGRESSED = two_sides(around(0.1, 2 * FIRST_LOOK, spread=0.01), workload="regressed")
IMPROVED = two_sides(around(-0.1, 2 * FIRST_LOOK), workload="improved")
UNDECIDED = two_sides([0.0, 0.1], workload="undecided")
FAILED = (
    side("baseline", workload="failed"),
    side("candidate", workload="failed", failure=failure()),
)
ODD = (side("baseline", workload="odd"), side("candidate", workload="odd", parity=DIFFERS))
ALL = gate(*UNCHANGED, *REGRESSED, *IMPROVED, *UNDECIDED, *FAILED, *ODD)


def printed(the_gate, coloured=False):
    system = "standard" if coloured else None
    console = VisibleConsole(
        file=StringIO(),
        width=130,
        highlight=False,
        markup=False,
        force_terminal=coloured,
        color_system=system,
    )
    print_gate(console, the_gate, pairs(the_gate))
    return console.file.getvalue()


def page(the_gate):
    return markdown(the_gate, pairs(the_gate))


def parsed(text):
    return MarkdownIt().enable(["table", "strikethrough"]).parse(text)


def shown(token):
    """Return what a reader sees of an inline token."""
    kinds = {child.type for child in token.children}
    assert kinds <= {"text", "text_special", "softbreak"}, kinds
    return "".join(child.content for child in token.children)


def table_in(text):
    tokens = parsed(text)
    rows = []
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(shown(following))
    return rows


def list_items_in(text):
    return [
        shown(token)
        for before, token in zip(parsed(text)[1:], parsed(text)[2:], strict=False)
        if before.type == "paragraph_open" and before.level > 0
    ]


# Cells.


@pytest.mark.parametrize(
    ("sides", "texts"),
    [
        (UNCHANGED, ["100", "100", "1.000 (0.998 to 1.002)", "unchanged", "0.36%", "6"]),
        (REGRESSED, ["100", "111", "1.11 (1.09 to 1.13)", "regressed", "3.7%", "12"]),
        (UNDECIDED, ["100", "105", "1.1", "undecided", "", "2"]),
        (FAILED, ["", "", "", "failed", "", "0"]),
        (ODD, ["", "", "", "parity failed", "", "0"]),
    ],
    ids=["unchanged", "regressed", "undecided", "failed", "odd"],
)
def test_a_row_holds_both_times_the_ratio_the_verdict_and_what_would_have_shown(sides, texts):
    ((workload, backend, *rest),) = gate_table(pairs(gate(*sides))).rows
    assert (workload, backend) == (sides[0].arm.workload, "jax")
    assert rest == texts
    assert len(HEADS) == 2 + len(texts)


def test_a_ratio_is_written_with_its_interval_where_it_has_one():
    assert ratio_text(Estimate(1.104, 1.082, 1.126)) == "1.10 (1.08 to 1.13)"
    assert ratio_text(Estimate(1.104)) == "1.1"


def test_an_end_beside_one_is_not_written_as_one():
    assert ratio_text(Estimate(1.03, 1.0004, 1.06)) == "1.0300 (1.0004 to 1.0600)"


# On a terminal.


def test_every_pair_has_a_line_in_the_table_and_a_sentence_below():
    text = printed(ALL)
    lines = text.splitlines()
    below = " ".join(text.split())
    place = below.index(CAPTION)
    for pair in pairs(ALL):
        assert any(all(cell in line for cell in gate_table([pair]).rows[0]) for line in lines)
        place = below.index(answer(pair, 0.05), place)
    assert text.rstrip().endswith(ending(ALL))


def test_remarks_stand_below_their_sentence_and_once():
    jumped = sample(epoch_seconds=(1.0, -0.1, 0.1), round=2)
    sides = [side(label, 0.1, jumped, parity=UNCHECKABLE) for label in ("baseline", "candidate")]
    text = printed(gate(*sides))
    (pair,) = pairs(gate(*sides))
    assert (
        f"{answer(pair, 0.05)}\n"
        "  round 2 left out: the clock jumped\n"
        f"  parity: {UNCHECKABLE.summary}\n"
        f"{ending(gate(*sides))}\n"
    ) in text


@pytest.mark.parametrize(
    ("sides", "colour"),
    [(REGRESSED, "1;31"), (IMPROVED, "32"), (FAILED, "31"), (ODD, "31"), (UNDECIDED, "33")],
    ids=lambda it: "" if isinstance(it, str) else it[0].arm.workload,
)
def test_a_verdict_has_its_colour(sides, colour):
    (pair,) = pairs(gate(*sides))
    assert f"\x1b[{colour}m{answer(pair, 0.05)}" in printed(gate(*sides), coloured=True)


def test_unchanged_has_no_colour():
    assert not re.search(r"\x1b\[[\d;]*3\d", printed(gate(*UNCHANGED), coloured=True))


def test_square_brackets_are_no_markup():
    text = printed(gate(*two_sides([0.0], workload="net[/red]")))
    assert text.count("net[/red]") == 2


def test_progress_shows_the_budget_at_once_and_pairs_once_they_have_rounds():
    assert len(draw_gate(gate(side("baseline"), side("candidate")))) == 1
    console = VisibleConsole(file=StringIO(), width=130, highlight=False)
    for each in draw_gate(gate(*UNCHANGED, *FAILED, settings=GateSettings(budget_seconds=90.0))):
        console.print(each)
    text = console.file.getvalue()
    assert "60 s of at most 90 s" in text
    assert "0.998 to 1.002" in text
    assert "failed" not in text


# In Markdown.


def test_the_table_is_valid_github_flavoured_markdown():
    assert table_in(page(ALL)) == [gate_table([]).titles, *gate_table(pairs(ALL)).rows]


def test_what_looks_like_a_number_stays_as_it_was_written():
    _, row = table_in(page(gate(*two_sides([0.0, 0.0], workload="1e3"))))
    assert (row[0], row[4]) == ("1e3", "1.0")


def test_numbers_are_aligned_to_the_right():
    assert re.search(r"^\|:-+\|:-+\|-+:\|-+:\|-+:\|:-+\|-+:\|-+:\|$", page(ALL), re.M)


def test_every_sentence_and_remark_is_an_item_of_a_list():
    explained = two_sides([0.0], workload="other")
    explained = [replace(each, parity=EXPLAINED) for each in explained]
    known = gate(*ALL.results, *explained)
    items = list_items_in(page(known))
    sentences = [answer(pair, 0.05) for pair in pairs(known)]
    assert items[: len(sentences)] == sentences
    assert items[len(sentences)] == f"parity: {EXPLAINED.summary}"


def test_where_it_comes_from_stands_below():
    settings = GateSettings(threshold=0.025, metric="cpu", seed=3, cpu=1)
    samples = [sample(0.1, round=number, cpus=(1,)) for number in range(1, FIRST_LOOK + 1)]
    pinned = side("baseline", *samples), side("candidate", *samples)
    items = list_items_in(page(gate(*pinned, settings=settings)))
    assert items[-4:] == [
        "compared: the same versions on both sides",
        "All is decided that can be after 6 rounds and 60 s.",
        "2026-01-02T03:04:05Z, threshold 0.025, CPU time, threads single, pinned to core 1, seed 3",
        "Some CPU, 4 of 8 cores, 32 GiB, Linux 6.1, fingerprint 0123abcd",
    ]


def test_nothing_is_said_of_a_core_where_none_was_pinned():
    assert "pinned" not in page(gate(*UNCHANGED))


def test_what_is_compared_is_said_once_for_all_workloads():
    newer = replace(ENVIRONMENT, label="candidate", packages=(("keras", "3.16.0"),))
    one, two = (
        (side("baseline", workload=name), side("candidate", workload=name, environment=newer))
        for name in ("one", "two")
    )
    (compared,) = (each for each in list_items_in(page(gate(*one, *two))) if "compared" in each)
    assert compared.count("keras 3.15.1 → 3.16.0") == 1


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "<module> raises <br>",
        "__init__() got *args and _x_",
        "`code` and [a](b) and ![c](d)",
        "a \\ b \\| c",
        "&amp; and ~~this~~",
        "small_cnn",
    ],
)
def test_nothing_that_is_named_or_said_is_taken_for_markdown(text):
    error = WorkerDied("the worker", text, "look")
    sides = side("baseline", workload=text), side("candidate", workload=text)
    known = gate(*sides[:1], replace(sides[1], failure=failure(error)))
    written = page(known)
    assert table_in(written)[1][0] == text
    assert list_items_in(written)[0] == answer(pairs(known)[0], 0.05)


def test_names_with_underscores_stay_as_they_are_in_the_file():
    assert "small_cnn on jax" in page(gate(*two_sides([0.0], workload="small_cnn")))


def test_a_page_is_a_section_that_ends_its_last_line():
    text = page(ALL)
    assert text.startswith("## Is the candidate slower?\n\n- unchanged: ")
    assert text.endswith("0123abcd\n")


# As annotations.


def annotations_of(known):
    threshold = known.settings.threshold
    return annotations(TITLE, [conclusion(pair, threshold) for pair in pairs(known)])


def test_only_regressions_are_annotated():
    (annotation,) = annotations_of(ALL)
    sentence = answer(pairs(gate(*REGRESSED))[0], 0.05)
    assert annotation == f"::error title=keras-bench gate::{sentence}"


def test_an_annotation_is_one_line_with_its_percent_signs_escaped():
    name = "100%\r\n::error::of it"
    known = gate(*two_sides(around(0.1, 2 * FIRST_LOOK), workload=name))
    (annotation,) = annotations_of(known)
    assert "\n" not in annotation
    assert "\r" not in annotation
    assert "regressed: 100%25%0D%0A::error::of it on jax takes" in annotation


def test_escaping_an_annotation_can_be_undone():
    name = "%0A is no new line"
    known = gate(*two_sides(around(0.1, 2 * FIRST_LOOK), workload=name))
    (annotation,) = annotations_of(known)
    assert "%250A is no new line" in annotation
