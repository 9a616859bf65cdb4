from io import StringIO

import pytest
from builders import calibration, calibration_round
from markdown_it import MarkdownIt

from keras_bench.analyze.calibration import Capability, Power, Rate
from keras_bench.report.calibration import (
    CAPTION,
    HEADS,
    calibration_table,
    markdown,
    print_calibration,
    sentences,
)
from keras_bench.report.terminal import VisibleConsole

NONE = Power(0.0, Rate(0.001, 0.0, 0.0123, 1000), Rate(0.0, 0.0, 0.46, 6), 7.04, 70.4)
SLOWER = Power(0.025, Rate(0.95, 0.9, 1.0, 1000), None, 14.25, 142.6)
FOUND = Capability(0.0123, (NONE, SLOWER), 0.04, 150.2)
KNOWN = calibration(*[calibration_round(0.01)] * 5)


def printed(found=FOUND, threshold=0.05, known=KNOWN):
    console = VisibleConsole(file=StringIO(), width=120, highlight=False, markup=False)
    print_calibration(console, known, found, threshold)
    return console.file.getvalue()


def rows(*powers):
    return calibration_table(Capability(None, powers, None, None)).rows


def test_a_row_says_how_gates_end():
    none, slower = rows(NONE, SLOWER)
    assert none == ["none", "0.1% (0.0 to 1.2)", "0 of 6 (0 to 46%)", "7.04", "70.4"]
    assert slower == ["2.5%", "95.0% (90.0 to 100.0)", "0 of 0", "14.2", "143"]
    assert len(HEADS) == len(none)


def test_gates_in_order_are_counted():
    in_order = Rate(2 / 3, 0.1, 0.9, 3)
    ((_, _, counted, *_),) = rows(Power(0.05, in_order, in_order, 12.0, 120.0))
    assert counted == "2 of 3 (10 to 90%)"


def test_the_noise_and_the_smallest_slowdown_are_said():
    assert sentences(KNOWN, FOUND, 0.05) == [
        "net on jax: a round's ratio is off by 1.2% (standard deviation), by 5 rounds.",
        # The budget is rounded up, for less wouldn't be enough.
        "The smallest slowdown that 95 of 100 gates find is 4%: --threshold 0.04 --budget 151.",
    ]


def test_a_threshold_that_is_too_small_is_said():
    assert sentences(KNOWN, FOUND, 0.03)[-1] == "A threshold of 3% is more than it can see."
    assert len(sentences(KNOWN, FOUND, 0.04)) == 2


def test_where_no_threshold_works_it_says_so():
    found = Capability(1.5, (NONE,), None, None)
    assert sentences(KNOWN, found, 0.05)[1].startswith("No threshold up to 50% finds a slowdown")


def test_too_few_rounds_are_said_with_what_to_do():
    (said,) = sentences(KNOWN, Capability(None, (), None, None), 0.05)
    assert said == ("net on jax: 5 rounds are too few to say anything; ask for more with --passes.")


@pytest.mark.parametrize("found", [FOUND, Capability(None, (), None, None)], ids=["", "none"])
def test_rows_and_sentences_are_printed(found):
    text = printed(found)
    assert "gates with a threshold of 5%" in text
    for texts in rows(*found.powers):
        assert any(all(cell in line for cell in texts) for line in text.splitlines())
    for said in sentences(KNOWN, found, 0.05):
        assert f"{said}\n" in text


@pytest.mark.parametrize("name", ["net", "small_cnn", "a|b", "*it*"])
def test_a_page_holds_the_same_table_and_sentences(name):
    known = calibration(*KNOWN.rounds, workload=name)
    tokens = MarkdownIt().enable("table").parse(markdown(known, FOUND, 0.05))
    shown = [
        "".join(child.content for child in token.children)
        for token in tokens
        if token.type == "inline"
    ]
    assert shown == [
        f"{name} on jax",
        "threshold 5%, wall time, threads single, seed 0",
        *(head.title for head in HEADS),
        *(text for texts in rows(NONE, SLOWER) for text in texts),
        CAPTION,
        *sentences(known, FOUND, 0.05),
    ]
