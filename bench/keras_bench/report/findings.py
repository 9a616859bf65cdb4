"""What was seen of a machine, as the rows of a table: the terminal and the page draw the same."""

from keras_bench.analyze.diagnosis import Finding

TITLES = ("", "what", "seen", "what to do")


def cells(finding: Finding) -> list[str]:
    """Return the texts of a finding's row; there is nothing to do about what spoils nothing."""
    mark = "spoils" if finding.spoils else "ok"
    return [mark, finding.subject, finding.seen, finding.remedy if finding.spoils else ""]


def warning(finding: Finding) -> str:
    """Say what spoils timings, and what to do about it."""
    return f"{finding.subject}: {finding.seen}; {finding.remedy}"
