from xml.etree import ElementTree

import pytest

from keras_bench.analyze.conclusion import Conclusion
from keras_bench.report.junit import suite_of


def case(outcome, undecided_fails=False):
    """Return the suite of one conclusion, and what its case holds."""
    conclusion = Conclusion("net", "jax", outcome, 'what "it" is & was')
    text = suite_of("it", "2026-01-02T03:04:05Z", 1.5, [conclusion], undecided_fails)
    suite = ElementTree.fromstring(text.encode())
    (said,) = suite.find("testcase")
    return suite, said


@pytest.mark.parametrize(
    ("outcome", "undecided_fails", "kind"),
    [
        ("regressed", False, "failure"),
        ("undecided", False, "skipped"),
        ("undecided", True, "failure"),
        ("failed", False, "error"),
        ("parity failed", False, "error"),
        ("missing", True, "skipped"),
    ],
)
def test_what_is_no_success_says_why(outcome, undecided_fails, kind):
    suite, said = case(outcome, undecided_fails)
    assert said.tag == kind
    assert said.get("message") == 'what "it" is & was'
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    assert {name: suite.get(name) for name in counts.values()} == {
        name: str(int(each == kind)) for each, name in counts.items()
    }


@pytest.mark.parametrize("outcome", ["unchanged", "improved"])
def test_a_success_says_what_it_is(outcome):
    suite, said = case(outcome, undecided_fails=True)
    assert (said.tag, said.text) == ("system-out", 'what "it" is & was')
    assert suite.attrib == {
        "name": "it",
        "timestamp": "2026-01-02T03:04:05Z",
        "tests": "1",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
        "time": "1.500",
    }
