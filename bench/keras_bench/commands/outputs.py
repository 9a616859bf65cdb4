"""Writes what was found where the user, or GitHub Actions, wants it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.conclusion import Conclusion
from keras_bench.errors import ResultsUnwritable
from keras_bench.report.github import annotations
from keras_bench.store.files import append_lines, check_writable, write_atomically


@dataclass(frozen=True)
class Outputs:
    """The results directory, and where findings go beside the terminal. None means nowhere."""

    results: Path
    markdown: Path | None = None
    json: Path | None = None
    junit: Path | None = None


def check_outputs(files: Sequence[Path | None]) -> None:
    """Try to write beside every file that is to be written; raise ResultsUnwritable."""
    for folder in dict.fromkeys(file.parent for file in files if file is not None):
        check_writable(folder)


def annotate(console: Console, title: str, conclusions: Sequence[Conclusion]) -> None:
    """Print what marks regressions on the page of a workflow, where GitHub Actions runs this."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for annotation in annotations(title, conclusions):
            console.print(Text(annotation), soft_wrap=True)


def writes_of(
    outputs: Outputs, page: str, suite: str, save: Callable[[Path], None]
) -> list[Callable[[], None]]:
    """Return what writes every output that is wanted.

    Args:
        outputs: which are wanted.
        page: the findings in Markdown, for the summary of a workflow's step too.
        suite: the same in JUnit XML.
        save: writes them as JSON.
    """
    writes: list[Callable[[], None]] = []
    if outputs.json is not None:
        writes.append(partial(save, outputs.json))
    if outputs.markdown is not None:
        writes.append(partial(write_atomically, outputs.markdown, page))
    if outputs.junit is not None:
        writes.append(partial(write_atomically, outputs.junit, suite))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        writes.append(partial(append_lines, Path(summary), page, ""))
    return writes


def write_all(
    console: Console, writes: Sequence[Callable[[], object]], files: Sequence[Path]
) -> ResultsUnwritable | None:
    """Write everything; what fails is said, keeps none of the others, and is returned.

    `files` are named where nothing failed.
    """
    first = None
    for write in writes:
        try:
            write()
        except ResultsUnwritable as error:
            console.print(Text(f"error: {error}", style="red"), soft_wrap=True)
            first = first or error
    if first is None and files:
        console.print(f"Written to {', '.join(map(str, files))}", soft_wrap=True)
    return first
