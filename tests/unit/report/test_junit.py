from xml.etree import ElementTree

import pytest
from builders import DIFFERS, FIRST_LOOK, around, failure, gate, side, two_sides

from keras_bench.analyze.gate_answer import answer
from keras_bench.analyze.pairs import pairs
from keras_bench.errors import WorkerDied
from keras_bench.records import Parity
from keras_bench.report.junit import junit

UNCHANGED = two_sides(around(0.0, FIRST_LOOK), workload="unchanged")
REGRESSED = two_sides(around(0.1, 2 * FIRST_LOOK), workload="regressed")
IMPROVED = two_sides(around(-0.1, 2 * FIRST_LOOK), workload="improved")
UNDECIDED = two_sides([0.0, 0.1], workload="undecided")
FAILED = (
    side("baseline", workload="failed"),
    side("candidate", workload="failed", failure=failure()),
)
ODD = (side("baseline", workload="odd"), side("candidate", workload="odd", parity=DIFFERS))
ALL = gate(*UNCHANGED, *REGRESSED, *IMPROVED, *UNDECIDED, *FAILED, *ODD)


def written(the_gate, undecided_fails=False):
    return junit(the_gate, pairs(the_gate), undecided_fails)


def parsed(the_gate, undecided_fails=False):
    # Bytes, so that the declared encoding is the one that is read.
    return ElementTree.fromstring(written(the_gate, undecided_fails).encode())


def cases_of(suite):
    """Return what each case holds: the tag of its child, and the text or message of that."""
    return {
        case.get("classname"): [(child.tag, child.get("message") or child.text) for child in case]
        for case in suite.iter("testcase")
    }


def test_every_pair_is_a_case_with_its_sentence():
    sentences = {
        f"keras-bench.{pair.baseline.arm.workload}": answer(pair, 0.05) for pair in pairs(ALL)
    }
    kinds = {
        "keras-bench.unchanged": "system-out",
        "keras-bench.regressed": "failure",
        "keras-bench.improved": "system-out",
        "keras-bench.undecided": "skipped",
        "keras-bench.failed": "error",
        "keras-bench.odd": "error",
    }
    suite = parsed(ALL)
    assert cases_of(suite) == {name: [(kinds[name], sentences[name])] for name in sentences}
    assert {case.get("name") for case in suite.iter("testcase")} == {"jax"}


@pytest.mark.parametrize(
    ("undecided_fails", "failures", "skipped"), [(False, "1", "1"), (True, "2", "0")]
)
def test_the_suite_counts_its_cases(undecided_fails, failures, skipped):
    suite = parsed(ALL, undecided_fails)
    assert suite.tag == "testsuite"
    assert suite.get("tests") == "6"
    assert suite.get("failures") == failures
    assert suite.get("skipped") == skipped
    assert suite.get("errors") == "2"
    for kind, count in (("failure", failures), ("skipped", skipped), ("error", "2")):
        assert len(list(suite.iter(kind))) == int(count)


def test_a_pair_whose_parity_a_fault_left_unchecked_is_an_error():
    parity = Parity("unchecked", "jax is unchecked: its worker died", exit_code=5)
    unchecked = two_sides(around(0.0, FIRST_LOOK), workload="unchecked", parity=parity)
    regressed = two_sides(around(0.1, 2 * FIRST_LOOK), workload="regressed", parity=parity)
    told = cases_of(parsed(gate(*unchecked, *regressed)))
    ((kind, message),) = told["keras-bench.unchecked"]
    assert kind == "error"
    assert message.startswith("unchanged: ")
    assert message.endswith("; jax is unchecked: its worker died")
    assert [kind for kind, _ in told["keras-bench.regressed"]] == ["failure"]


def test_an_undecided_pair_fails_where_it_is_to():
    assert cases_of(parsed(ALL, True))["keras-bench.undecided"][0][0] == "failure"


def test_the_suite_tells_when_and_how_long():
    suite = parsed(gate(*UNCHANGED, elapsed_seconds=12.3456))
    assert suite.get("timestamp") == "2026-01-02T03:04:05Z"
    assert suite.get("time") == "12.346"


def test_it_is_a_whole_document_that_ends_its_last_line():
    text = written(ALL)
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<testsuite ')
    assert text.endswith("</testsuite>\n")


def failing(message, workload="net"):
    error = WorkerDied("the worker", message, "look")
    return gate(
        side("baseline", workload=workload),
        side("candidate", workload=workload, failure=failure(error)),
    )


@pytest.mark.parametrize(
    "message",
    ["a < b & c > d", "\"quoted\" and 'quoted'", "]]>", "größer → ∞ 𝄞", "two\nlines\tand a tab"],
)
def test_what_xml_can_hold_comes_back_as_it_was(message):
    ((_, said),) = cases_of(parsed(failing(message)))["keras-bench.net"]
    assert f"the worker: {message}; look" in said


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("nothing\x00at all", r"nothing\x00at all"),
        ("\x07\x08\x0b\x0c\x1f", r"\x07\x08\x0b\x0c\x1f"),
        ("a path of bytes: \udcff", r"a path of bytes: \udcff"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
    ],
    ids=["colour", "nul", "control", "surrogate", "no characters"],
)
def test_what_xml_cannot_hold_is_written_out(message, shown):
    ((_, said),) = cases_of(parsed(failing(message)))["keras-bench.net"]
    assert f"the worker: {shown}; look" in said


def test_names_and_sentences_outside_of_failures_are_kept_from_breaking_it_too():
    name = 'a<b>&"\x1b'
    known = two_sides(around(0.0, FIRST_LOOK), workload=name)
    ((classname, ((kind, said),)),) = cases_of(parsed(gate(*known))).items()
    assert classname == 'keras-bench.a<b>&"\\x1b'
    assert kind == "system-out"
    assert said.startswith('unchanged: a<b>&"\\x1b on jax')
