"""Workflow commands of GitHub Actions."""

from collections.abc import Sequence

from keras_bench.analyze.conclusion import Conclusion


def annotations(title: str, conclusions: Sequence[Conclusion]) -> list[str]:
    """Return an error for each regression."""
    return [
        f"::error title={title}::{_escaped(each.sentence)}"
        for each in conclusions
        if each.outcome == "regressed"
    ]


def _escaped(text: str) -> str:
    """Escape the data of a workflow command, as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
