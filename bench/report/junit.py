"""What a gate found, as JUnit XML for the test reports of CI systems."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from bench.analyze.gate_answer import answer, outcome
from bench.analyze.pairs import Pair
from bench.records import Gate

#: What XML 1.0 has no place for, not even escaped: what a worker printed last may be coloured.
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(gate: Gate, pairs: Sequence[Pair], undecided_fails: bool) -> str:
    """Return a test suite with a case per pair.

    A regression is a failure; so is an undecided pair where `undecided_fails`, else it is
    skipped; a pair that couldn't be measured or compared is an error.
    """
    suite = ElementTree.Element("testsuite", name="keras-bench gate", timestamp=gate.started_utc)
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for pair in pairs:
        arm = pair.baseline.arm
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"keras-bench.{arm.workload}", name=arm.backend
        )
        kind = _kind(pair, undecided_fails)
        said = answer(pair, gate.settings.threshold)
        if kind is None:
            ElementTree.SubElement(case, "system-out").text = said
        else:
            counts[kind] += 1
            ElementTree.SubElement(case, kind, message=said)
    suite.attrib |= {
        "tests": str(len(pairs)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{gate.elapsed_seconds:.3f}",
    }
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)
    text = NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _kind(pair: Pair, undecided_fails: bool) -> str | None:
    found = outcome(pair)
    if found == "undecided":
        return "failure" if undecided_fails else "skipped"
    kinds = {"regressed": "failure", "failed": "error", "parity failed": "error"}
    return kinds.get(found)
