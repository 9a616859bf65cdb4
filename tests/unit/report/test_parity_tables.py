import math
from dataclasses import replace
from io import StringIO

import pytest
from builders import cause, deviation, failed_learner, learner, verdict

from keras_bench.parity.places import EPOCH_LOSS, FORWARD, LOSS, STAGES, UPDATE
from keras_bench.parity.verdict import sentence
from keras_bench.report.parity import STYLES, deviation_rows, print_verdict
from keras_bench.report.terminal import PLAIN_WIDTH, VisibleConsole

HIDDEN_OFF = deviation(FORWARD, "hidden", step=2, size=1e-4)
STATE_OFF = deviation(UPDATE, "optimizer/velocity", size=0.5)

AGREES = learner("jax", deviation(FORWARD, "hidden"), deviation(size=2e-8))
EXPLAINED = learner(
    "tensorflow",
    STATE_OFF,
    outcome="explained",
    causes=(cause("the optimizer's velocity", STATE_OFF, reason="its epsilon is elsewhere"),),
)
DIFFERS = learner(
    "torch",
    HIDDEN_OFF,
    STATE_OFF,
    outcome="differs",
    causes=(
        cause("the output of layer hidden", HIDDEN_OFF, deviation(LOSS, size=1e-4)),
        cause("the optimizer's velocity", STATE_OFF, reason="it is built with other constants"),
    ),
)
UNCHECKED = failed_learner("torch", "net on torch: timed out; wait")
OTHER_SHAPE = learner("torch", outcome="differs", causes=(cause("its model lacks hidden/bias"),))


def printed(the_verdict, width=PLAIN_WIDTH, **console):
    where = VisibleConsole(file=StringIO(), width=width, highlight=False, markup=False, **console)
    print_verdict(where, the_verdict)
    return where.file.getvalue()


def lines_of(the_verdict, width=PLAIN_WIDTH):
    return [" ".join(line.split()) for line in printed(the_verdict, width).splitlines()]


def test_it_says_what_was_trained_and_what_it_is_compared_with():
    assert lines_of(verdict(AGREES))[:3] == [
        "",
        "net, float32, 1 epoch",
        "compared with the NumPy reference",
    ]
    assert "net, float64, 20 epochs" in lines_of(verdict(AGREES, dtype="float64", epochs=20))


def test_without_a_reference_none_is_named():
    assert "compared" not in printed(verdict(UNCHECKED, source="", losses=()))


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (AGREES, "- jax agrees to rounding"),
        (
            EXPLAINED,
            "- tensorflow differs for known reasons, which reproduce it to rounding: its epsilon is"
            " elsewhere; first in epoch 1, step 1: the optimizer's velocity (off by 5.0e-01,"
            " rounding explains 1.0e-06)",
        ),
        (
            DIFFERS,
            "- torch parts from the reference in epoch 1, step 2: the output of layer hidden (off"
            " by 1.0e-04, rounding explains 1.0e-06) (and in 1 further respect)",
        ),
        (UNCHECKED, "- torch is unchecked: net on torch: timed out; wait"),
        (
            OTHER_SHAPE,
            "- torch parts from the reference before the training: its model lacks hidden/bias",
        ),
    ],
    ids=["agrees", "explained", "differs", "unchecked", "another shape"],
)
def test_each_backend_has_its_sentence_on_one_line(backend, said):
    assert said in lines_of(verdict(backend))
    assert said == f"- {sentence(backend)}"


def test_of_two_backends_it_says_that_either_may_be_off():
    first, second = replace(DIFFERS, backend="jax"), DIFFERS
    lines = lines_of(verdict(first, second, knows_who=False))
    said = [line for line in lines if line.startswith("- ")]
    assert len(said) == 2
    assert all(
        line.endswith("; most backends don't agree, so any may be the one that is off")
        for line in said
    )


def test_remarks_follow_the_sentences():
    lines = lines_of(verdict(AGREES, UNCHECKED, remarks=("FIT's callbacks is left out",)))
    assert lines[3:6] == [
        "- jax agrees to rounding",
        "- torch is unchecked: net on torch: timed out; wait",
        "FIT's callbacks is left out",
    ]


def test_long_sentences_are_not_broken():
    torn = failed_learner("torch", "net on torch: " + "died " * 60 + "; look")
    assert sentence(torn) in printed(verdict(torn))


def test_the_deviations_stand_by_stage_next_to_what_rounding_explains():
    rows = list(deviation_rows([AGREES, EXPLAINED, DIFFERS]))
    assert rows == [
        (FORWARD, ["1.0e-08 (1.0e-06)", "", "1.0e-04 (1.0e-06) !"]),
        (LOSS, ["2.0e-08 (1.0e-06)", "", ""]),
        (UPDATE, ["", "5.0e-01 (1.0e-06) !", "5.0e-01 (1.0e-06) !"]),
    ]
    lines = lines_of(verdict(AGREES, EXPLAINED, DIFFERS))
    assert "largest relative deviation (what rounding explains there)" in lines
    assert "stage jax tensorflow torch" in lines
    for stage, texts in rows:
        assert f"{stage} {' '.join(filter(None, texts))}" in lines


@pytest.mark.parametrize(
    ("size", "bound", "text"),
    [
        (1e-6, 1e-6, "1.0e-06 (1.0e-06)"),
        (1.1e-6, 1e-6, "1.1e-06 (1.0e-06) !"),
        (0.0, 0.0, "0.0e+00 (0.0e+00)"),
        (math.inf, 0.0, "inf (0.0e+00) !"),
    ],
)
def test_only_what_rounding_does_not_explain_is_marked(size, bound, text):
    ((_, texts),) = deviation_rows([learner("jax", deviation(size=size, bound=bound))])
    assert texts == [text]


def test_stages_stand_in_the_order_of_a_training():
    backwards = learner("jax", *(deviation(stage) for stage in reversed(STAGES)))
    assert [stage for stage, _ in deviation_rows([backwards])] == list(STAGES)


def test_an_unchecked_backend_has_no_column():
    text = printed(verdict(learner("jax", deviation(EPOCH_LOSS, step=0)), UNCHECKED))
    (heads,) = (line for line in text.splitlines() if line.strip().startswith("stage"))
    assert heads.split() == ["stage", "jax"]


@pytest.mark.parametrize("backends", [(UNCHECKED,), (OTHER_SHAPE,), ()], ids=len)
def test_where_nothing_was_compared_there_is_no_table(backends):
    text = printed(verdict(*backends))
    assert "stage" not in text
    assert "where torch parts" not in text


def test_each_cause_has_a_line_with_the_places_that_it_puts_off():
    lines = lines_of(verdict(AGREES, EXPLAINED, DIFFERS), width=200)
    titles = ["where tensorflow parts, each cause once", "where torch parts, each cause once"]
    assert [line for line in lines if line.startswith("where")] == titles
    place = lines.index(titles[1])
    heads, _, first, second = [line for line in lines[place + 1 :] if line]
    assert heads == "# what places off"
    assert first == (
        "1 in epoch 1, step 2: the output of layer hidden (off by 1.0e-04, rounding explains"
        " 1.0e-06) 2"
    )
    assert second == (
        "2 in epoch 1, step 1: the optimizer's velocity (off by 5.0e-01, rounding explains"
        " 1.0e-06): it is built with other constants 1"
    )


def test_every_outcome_has_its_own_style():
    text = printed(
        verdict(AGREES, EXPLAINED, DIFFERS, UNCHECKED),
        force_terminal=True,
        color_system="standard",
        no_color=False,
        width=1000,
    )
    codes = {"green": "32", "yellow": "33", "bold red": "1;31", "dim": "2"}
    for backend in (AGREES, EXPLAINED, DIFFERS, UNCHECKED):
        assert f"\x1b[{codes[STYLES[backend.outcome]]}m- {sentence(backend)}" in text


def test_what_is_not_a_terminal_gets_no_escape_codes():
    assert "\x1b" not in printed(verdict(AGREES, EXPLAINED, DIFFERS, UNCHECKED))


def test_words_in_brackets_are_printed_as_they_are():
    odd = failed_learner("torch", "net on torch: died at x[red] of keras-bench[torch]; look")
    text = printed(verdict(odd, remarks=("layer[bold] is left out",)))
    assert "x[red] of keras-bench[torch]" in text
    assert "layer[bold] is left out" in text
