from dataclasses import replace

import pytest
from builders import (
    AGREES,
    DIFFERS,
    ENVIRONMENT,
    EXPLAINED,
    FIRST_LOOK,
    LAST_LOOK,
    UNCHECKABLE,
    around,
    failure,
    gate,
    sample,
    side,
    two_sides,
)

from keras_bench.analyze.gate_answer import answer, changes, ending, outcome, remarks, visible
from keras_bench.analyze.pairs import pairs
from keras_bench.errors import BackendError
from keras_bench.records import UNCHECKED, Environment, GateSettings, Parity


def only(*sides, **changes):
    (pair,) = pairs(gate(*sides, **changes))
    return pair


def said(log_ratios, threshold=0.05):
    sides = two_sides(log_ratios)
    return answer(only(*sides, settings=GateSettings(threshold=threshold)), threshold)


# Sentences.


def test_a_regression_is_said_with_its_interval_and_what_confirmed_it():
    assert said(around(0.1, 2 * FIRST_LOOK, spread=0.01)) == (
        "regressed: net on jax takes 1.11 times as long (1.09 to 1.13),"
        " confirmed by 6 rounds of fresh processes"
    )


def test_an_improvement_is_said_likewise():
    assert said(around(-0.1, 2 * FIRST_LOOK, spread=0.01)) == (
        "improved: net on jax takes 0.90 times as long (0.89 to 0.92),"
        " confirmed by 6 rounds of fresh processes"
    )


@pytest.mark.parametrize(("threshold", "written"), [(0.05, "5%"), (0.025, "2.5%"), (0.07, "7%")])
def test_unchanged_is_said_with_the_threshold_that_it_is_within(threshold, written):
    sentence = said(around(0.0, FIRST_LOOK, spread=0.001), threshold)
    assert sentence == (
        "unchanged: net on jax takes 1.000 times as long (0.998 to 1.002),"
        f" less than {written} either way"
    )


def test_what_was_not_confirmed_is_unchanged_and_not_passed_over():
    sentence = said([*around(0.1, FIRST_LOOK), *around(0.0, FIRST_LOOK)])
    assert sentence.startswith("unchanged: net on jax takes 1.000 times as long")
    assert sentence.endswith(
        ", less than 5% either way; what looked regressed at first was not confirmed"
    )


def test_without_a_round_there_is_no_ratio_to_say():
    pair = only(side("baseline"), side("candidate"))
    assert answer(pair, 0.05) == "undecided: net on jax has no round that counts"


def test_before_the_first_look_there_is_no_interval_to_say():
    assert said([0.1] * 4) == (
        "undecided: net on jax takes 1.1 times as long, after too few rounds for an interval"
    )


def test_undecided_is_said_with_the_change_that_would_have_shown():
    sentence = said(around(0.0, FIRST_LOOK, spread=0.05))
    assert sentence.startswith("undecided: net on jax takes 1.00 times as long (0.91 to 1.09)")
    assert sentence.endswith("; a change of 20% would have shown")


def test_a_busy_machine_marks_the_answer_itself():
    sides = [
        replace(each, samples=tuple(replace(s, other_busy_cores=1.5) for s in each.samples))
        for each in two_sides([0.0, 0.0])
    ]
    percent = round(150 / gate(*sides).machine.usable_cores)
    assert answer(only(*sides), 0.05).endswith(
        f" (measured on a busy machine: other programs used {percent} % of it)"
    )


def test_undecided_while_a_change_is_to_be_confirmed():
    sentence = said(around(0.1, FIRST_LOOK + 2))
    assert sentence.endswith(
        " would have shown; it looked regressed, which counts once rounds of fresh processes show"
        " it again, and the 2 since tell too little"
    )
    assert said(around(0.1, FIRST_LOOK)).endswith(" show it again, and there were none")


def test_undecided_for_the_looks_ran_out():
    sentence = said(around(0.0, LAST_LOOK, spread=0.5))
    assert sentence.endswith(" would have shown; more rounds than it has had tell no more")
    assert "None" not in sentence


def test_undecided_for_the_looks_ran_out_while_a_change_was_to_be_confirmed():
    sentence = said([*around(0.1, FIRST_LOOK), *around(0.1, LAST_LOOK, spread=0.9)])
    assert f"and the {LAST_LOOK} since tell too little" in sentence


def test_undecided_for_the_contrary_showed():
    sentence = said([*around(0.1, FIRST_LOOK), *around(-0.1, FIRST_LOOK)])
    assert sentence.startswith("undecided: ")
    assert sentence.endswith("; it looked regressed first, and then the contrary")


@pytest.mark.parametrize("label", ["baseline", "candidate"])
def test_a_failure_is_said_with_the_side_that_failed(label):
    sides = [
        replace(each, failure=failure() if each.arm.environment.label == label else None)
        for each in two_sides([0.0] * 5, backend="torch")
    ]
    assert answer(only(*sides), 0.05) == (
        f"failed: net on torch, {label}: the worker was killed; it last printed: nothing"
    )


def test_a_failure_of_something_else_is_said_whole():
    broken = failure(BackendError("/usr/bin/python", "can't be started", "name another"))
    pair = only(side("1.0", failure=broken), side("1.1", failure=failure()))
    assert answer(pair, 0.05) == (
        "failed: net on jax, 1.0: /usr/bin/python: can't be started; name another;"
        " 1.1: net on torch: the worker was killed; it last printed: nothing"
    )


def test_failed_parity_is_said_with_what_each_side_does():
    odd = Parity("differs", "candidate on jax parts at the loss")
    pair = only(side("baseline", parity=AGREES), side("candidate", parity=odd))
    assert answer(pair, 0.05) == ("parity failed: net on jax: candidate on jax parts at the loss")


def test_a_failure_goes_before_parity_and_both_before_a_verdict():
    sides = two_sides(around(0.1, 2 * FIRST_LOOK))
    assert outcome(only(*sides)) == "regressed"
    odd = [replace(each, parity=DIFFERS) for each in sides]
    assert outcome(only(*odd)) == "parity failed"
    assert outcome(only(odd[0], replace(odd[1], failure=failure()))) == "failed"


# Beside the sentence.


def test_the_visible_change_is_written_as_a_share_and_nothing_without_an_interval():
    assert visible(only(*two_sides([0.1] * 4))) == ""
    assert visible(only(*two_sides(around(0.0, FIRST_LOOK, spread=0.01)))) == "3.7%"


def test_rounds_that_were_left_out_are_named_with_their_reasons():
    jumped = sample(epoch_seconds=(1.0, -0.1, 0.1), round=2)
    pair = only(side("baseline", 0.1, jumped), side("candidate", 0.1, jumped))
    assert remarks(pair) == ["round 2 left out: the clock jumped"]


def test_rounds_that_were_left_out_for_one_reason_are_named_together():
    jumped = {"epoch_seconds": (1.0, -0.1, 0.1)}
    samples = [
        sample(0.1, round=number, **(jumped if number % 2 == 0 else {})) for number in range(1, 7)
    ]
    assert remarks(only(side("baseline", *samples), side("candidate", *samples))) == [
        "rounds 2, 4, and 6 left out: the clock jumped"
    ]


@pytest.mark.parametrize("parity", [EXPLAINED, UNCHECKABLE], ids=lambda it: it.outcome)
def test_odd_parity_of_either_side_is_named(parity):
    pair = only(side("baseline", 0.1, parity=parity), side("candidate", 0.1))
    assert remarks(pair) == [f"parity: {parity.summary}"]


def test_of_parity_that_was_not_to_be_checked_nothing_is_remarked():
    pair = only(side("baseline", 0.1, parity=UNCHECKED), side("candidate", 0.1, parity=UNCHECKED))
    assert remarks(pair) == []


def test_of_parity_that_agrees_or_is_the_outcome_nothing_is_remarked():
    assert remarks(only(side("baseline", 0.1), side("candidate", 0.1))) == []
    assert remarks(only(side("baseline", parity=DIFFERS), side("candidate"))) == []


def test_a_failure_needs_no_remark_on_parity():
    pair = only(
        side("baseline", failure=failure(), parity=UNCHECKABLE),
        side("candidate", parity=UNCHECKABLE),
    )
    assert remarks(pair) == []


@pytest.mark.parametrize(
    ("stopped", "rounds", "sentence"),
    [
        ("decided", 10, "All is decided that can be after 10 rounds and 60 s."),
        ("budget", 1, "No further look fits the budget of 300 s after 1 round and 60 s."),
        ("failed", 1, "Every pair has a side that failed after 1 round and 60 s."),
        ("parity", 0, "The two sides don't train the same after 0 rounds and 60 s."),
        ("interrupted", 2, "INCOMPLETE: the gate was interrupted after 2 rounds and 60 s."),
    ],
)
def test_the_ending_says_why_and_after_what(stopped, rounds, sentence):
    assert ending(gate(stopped=stopped, rounds=rounds)) == sentence


def test_environments_are_compared_by_what_they_hold():
    after = replace(
        ENVIRONMENT,
        python_version="3.12.1",
        packages=(("jax", "0.10.2"), ("keras", "3.16.0"), ("numpy", "2.4.6"), ("Zlib", "1")),
    )
    assert changes(ENVIRONMENT, after) == (
        "keras 3.15.1 → 3.16.0, Python 3.11.7 → 3.12.1, tensorflow-cpu 2.21.0 → none,"
        " torch 2.13.0 → none, Zlib none → 1"
    )


def test_another_distribution_of_keras_is_a_change_of_keras():
    after = Environment(
        "3.11.7", (("keras", "3.16.0.dev2"),), distributions=(("keras", "keras-nightly"),)
    )
    before = replace(after, packages=(("keras", "3.15.1"),), distributions=())
    assert changes(before, after) == "keras 3.15.1 → 3.16.0.dev2 (keras-nightly)"


def test_labels_are_no_difference():
    assert changes(ENVIRONMENT, replace(ENVIRONMENT, label="candidate")) == (
        "the same versions on both sides"
    )
