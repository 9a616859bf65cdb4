"""What was found, as JUnit XML for the test reports of CI systems."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from keras_bench.analyze.conclusion import Conclusion, Outcome
from keras_bench.analyze.gate_answer import conclusion
from keras_bench.analyze.pairs import Pair
from keras_bench.records import Gate
from keras_bench.report.gate import TITLE

#: What XML 1.0 has no place for, not even escaped: what a worker printed last may be coloured.
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(gate: Gate, pairs: Sequence[Pair], undecided_fails: bool) -> str:
    """Return a gate as a test suite with a case per pair."""
    conclusions = [conclusion(pair, gate.settings.threshold) for pair in pairs]
    return suite_of(TITLE, gate.started_utc, gate.elapsed_seconds, conclusions, undecided_fails)


def suite_of(
    name: str,
    started_utc: str,
    elapsed_seconds: float,
    conclusions: Sequence[Conclusion],
    undecided_fails: bool,
) -> str:
    """Return a test suite with a case per conclusion.

    A regression is a failure; so is what is undecided where `undecided_fails`, else it is
    skipped, as is what is missing; what couldn't be measured or compared is an error.
    """
    suite = ElementTree.Element("testsuite", name=name, timestamp=started_utc)
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for each in conclusions:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"keras-bench.{each.workload}", name=each.contender
        )
        kind = _kind(each.outcome, undecided_fails)
        if kind is None:
            ElementTree.SubElement(case, "system-out").text = each.sentence
        else:
            counts[kind] += 1
            ElementTree.SubElement(case, kind, message=each.sentence)
    suite.attrib |= {
        "tests": str(len(conclusions)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{elapsed_seconds:.3f}",
    }
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)
    text = NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _kind(outcome: Outcome, undecided_fails: bool) -> str | None:
    if outcome == "undecided":
        return "failure" if undecided_fails else "skipped"
    kinds = {
        "regressed": "failure",
        "failed": "error",
        "parity failed": "error",
        "missing": "skipped",
    }
    return kinds.get(outcome)
