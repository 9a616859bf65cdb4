"""The history of a results directory: `history.csv`, a line per arm of every run, only added to.

Every line stands by itself, so that git merges two histories by keeping the lines of both
(`merge=union` in `.gitattributes`) and one broken line costs no other. Lines may therefore come
twice, in any order and below any heading; `load` takes each once, and whoever reads a series sorts
it by time. A line begins with the version of the schema that its columns follow.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import msgspec

from keras_bench.analyze.history import HISTORY_SCHEMA_VERSION, HistoryRow, Kind, history_rows
from keras_bench.errors import ResultsBroken
from keras_bench.records import ArmResult, Machine
from keras_bench.report.visible import as_it_was, in_a_line, no_formula
from keras_bench.store.files import append_lines, read_file

COLUMNS = tuple(field.name for field in fields(HistoryRow))

#: The columns that lines of older versions have: they were only ever added at the end.
OLDER_COLUMNS = {
    "1": COLUMNS[: COLUMNS.index("task")],
    "2": COLUMNS[: COLUMNS.index("method")],
}

#: How much of a commit's hash is kept: enough for a repository of any size.
COMMIT_DIGITS = 12

UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class History:
    """The rows of a history in the order of the file, and a line about each that can't be read."""

    rows: tuple[HistoryRow, ...]
    warnings: tuple[str, ...] = ()


class _Unreadable(Exception):
    """Why a line is left out, and what to do about it."""


def history_file(results: Path) -> Path:
    """Return where the history of a results directory is kept."""
    return results / "history.csv"


def append(
    results: Sequence[ArmResult],
    *,
    started_utc: str,
    machine: Machine,
    kind: Kind,
    results_folder: Path,
) -> Path:
    """Add a row for each arm that has samples, and return the file.

    Raises:
        DiskFull, ResultsUnwritable: as `append_lines` does; then nothing is added.
    """
    file = history_file(results_folder)
    rows = history_rows(
        results, started_utc=started_utc, machine=machine, kind=kind, commit=_commit()
    )
    if rows:
        append_lines(file, _csv([astuple(row) for row in rows]), heading=_csv([COLUMNS]))
    return file


def load(file: Path) -> History:
    """Read a history, without the lines that can't be read; raise ResultsBroken for no file."""
    try:
        content = read_file(file)
    except OSError as error:
        reason = f"can't be read ({(error.strerror or str(error)).lower()})"
        remedy = "measure with `keras-bench run`, or name another place with --results"
        raise ResultsBroken(str(file), reason, remedy) from None
    numbers: dict[bytes, int] = {}
    for number, line in enumerate(content.removeprefix(UTF8_MARK).splitlines(), start=1):
        numbers.setdefault(line, number)
    rows, warnings = [], []
    for line, number in numbers.items():
        try:
            row = _read(line)
        except _Unreadable as why:
            warnings.append(f"{file}, line {number}: left out, for {why}")
        else:
            if row is not None:
                rows.append(row)
    return History(tuple(rows), tuple(warnings))


def _read(line: bytes) -> HistoryRow | None:
    """Return the row that a line holds, None for a heading and an empty line."""
    remedy = "restore the line from a copy, or delete it"
    try:
        (texts,) = csv.reader([line.decode("utf-8")], strict=True)
    except UnicodeDecodeError:
        raise _Unreadable(f"it isn't UTF-8; {remedy}") from None
    except csv.Error as error:
        raise _Unreadable(f"it isn't CSV ({error}); {remedy}") from None
    if not texts or texts[0] == COLUMNS[0]:
        return None
    version = texts[0]
    if version.isdecimal() and int(version) > HISTORY_SCHEMA_VERSION:
        raise _Unreadable(
            f"it was written by a newer keras-bench (schema version {version}, and this reads"
            f" {HISTORY_SCHEMA_VERSION}); update keras-bench to read it"
        )
    columns = OLDER_COLUMNS.get(version, COLUMNS)
    if len(texts) != len(columns):
        raise _Unreadable(f"it has {len(texts)} fields instead of {len(columns)}; {remedy}")
    # An empty field is a value that there was none of, which is what its column defaults to.
    named = {name: as_it_was(text) for name, text in zip(columns, texts, strict=True) if text}
    try:
        return msgspec.convert(named, HistoryRow, strict=False)
    except msgspec.ValidationError as error:
        raise _Unreadable(f"of its values one is wrong ({error}); {remedy}") from None


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        # A name with a line break would be a row of two lines.
        writer.writerow(
            [no_formula(in_a_line(cell)) if isinstance(cell, str) else cell for cell in row]
        )
    return text.getvalue()


def _commit() -> str:
    """Return the commit of the folder that this is called in, nothing where it has none."""
    from pytest_benchmark.utils import get_commit_info

    found = get_commit_info()
    # Whether there are uncommitted changes says nothing: the run before has written results.
    return "" if found.get("time") is None else str(found["id"])[:COMMIT_DIGITS]
