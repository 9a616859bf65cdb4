"""What was seen of a machine, as a table: the terminal and the page draw the same."""

from collections.abc import Sequence

from keras_bench.analyze.diagnosis import Finding
from keras_bench.report.text_table import Head, TextTable


def findings_table(findings: Sequence[Finding], caption: str = "") -> TextTable:
    """Return a row for every finding; only one that spoils timings has a remedy."""
    return TextTable(
        [Head(""), Head("what"), Head("seen"), Head("what to do")],
        [
            [
                "spoils" if each.spoils else "ok",
                each.subject,
                each.seen,
                each.remedy if each.spoils else "",
            ]
            for each in findings
        ],
        ["yellow" if each.spoils else "" for each in findings],
        caption=caption,
    )


def warning(finding: Finding) -> str:
    """Say what spoils timings, and what to do about it."""
    return f"{finding.subject}: {finding.seen}; {finding.remedy}"
