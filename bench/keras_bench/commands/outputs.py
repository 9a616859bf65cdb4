"""Writes what was found where the user, or GitHub Actions, wants it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.conclusion import Conclusion
from keras_bench.errors import ResultsUnwritable, UsageError
from keras_bench.records import STANDARD_OUTPUT
from keras_bench.report.github import annotations
from keras_bench.store.files import (
    append_lines,
    check_writable,
    is_stream,
    write_file,
)


@dataclass(frozen=True)
class Outputs:
    """The results directory, and where findings go beside the terminal. None means nowhere."""

    results: Path
    markdown: Path | None = None
    json: Path | None = None
    junit: Path | None = None

    @property
    def files(self) -> tuple[Path | None, ...]:
        """Those beside the results."""
        return (self.markdown, self.json, self.junit)


def check_outputs(files: Sequence[Path | None], inputs: Sequence[Path] = ()) -> None:
    """Try whether every file can be written, before anything is done for it.

    Raises:
        UsageError: two are one file, or one is among the `inputs`, which it would overwrite.
        ResultsUnwritable: a place can't be written.
    """
    wanted = [file for file in files if file is not None]
    known = {_place(each): each for each in inputs}
    for file in wanted:
        if _place(file) in known:
            what = "it is read" if known[_place(file)] in inputs else "two outputs are to be there"
            raise UsageError(str(file), what, "name another file")
        known[_place(file)] = file
    for folder in dict.fromkeys(_place(file).parent for file in wanted if not is_stream(file)):
        check_writable(folder)


def _place(file: Path) -> Path:
    """Return where links lead; those that lead nowhere are told when they are opened."""
    return file if file == STANDARD_OUTPUT else Path(os.path.realpath(file))


def annotate(console: Console, title: str, conclusions: Sequence[Conclusion]) -> None:
    """Print what marks regressions on the page of a workflow, where GitHub Actions runs this."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for annotation in annotations(title, conclusions):
            console.print(Text(annotation))


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
        writes.append(partial(write_file, outputs.markdown, page))
    if outputs.junit is not None:
        writes.append(partial(write_file, outputs.junit, suite))
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
            console.print(Text(f"error: {error}", style="red"))
            first = first or error
    files = [file for file in files if file != STANDARD_OUTPUT]
    if first is None and files:
        console.print(f"Written to {', '.join(map(str, files))}")
    return first
