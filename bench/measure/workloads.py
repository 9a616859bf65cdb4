"""Finds workload files by name or path. Nothing is imported from them here."""

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import bench
from bench.errors import UsageError, WorkloadError

DEFAULT_WORKLOADS = ("dense_3_5_2", "dense_1_16_32_2")


@dataclass(frozen=True)
class Workload:
    """A workload's name, which is its file's name, and its file."""

    name: str
    file: Path

    def summary(self) -> str:
        """Return the first line of the file's docstring, or an empty text."""
        try:
            docstring = ast.get_docstring(ast.parse(self.file.read_text(encoding="utf-8")))
        except (SyntaxError, UnicodeDecodeError):
            docstring = None
        return (docstring or "").partition("\n")[0]


def models_folder() -> Path:
    """Return the folder of the workloads that come with the suite.

    A wheel carries it inside the package; a checkout has it beside the package.
    """
    package = Path(bench.__file__).parent
    carried = package / "models"
    return carried if carried.is_dir() else package.parent / "models"


def shipped() -> dict[str, Workload]:
    """Return the workloads that come with the suite, by name."""
    return _workloads_in(models_folder())


def _workloads_in(folder: Path) -> dict[str, Workload]:
    files = sorted(folder.resolve().glob("*.py"))
    return {file.stem: Workload(file.stem, file) for file in files}


def find(names_or_files: tuple[str, ...], folder: Path | None = None) -> tuple[Workload, ...]:
    """Return the workloads that the user named; without any, the notes' two networks.

    With a folder, names and files are looked for there, and not among those of the suite.

    Raises:
        UsageError: a name is unknown, or two different files bear the same name.
        WorkloadError: a file doesn't exist.
    """
    known = shipped() if folder is None else _workloads_in(folder)
    found: dict[str, Workload] = {}
    for text in names_or_files or DEFAULT_WORKLOADS:
        is_file = _is_file_name(text)
        workload = _from_file(text, folder) if is_file else _from_name(text, known)
        if found.setdefault(workload.name, workload).file != workload.file:
            raise UsageError(
                text,
                f"another workload of this run is named {workload.name} too",
                "rename one of the files",
            )
    return tuple(found.values())


def _is_file_name(text: str) -> bool:
    return text.endswith(".py") or "/" in text


def _from_file(text: str, folder: Path | None) -> Workload:
    if folder is not None and Path(text).is_absolute():
        raise UsageError(text, f"lies outside of {folder}", "name it relative to that folder")
    file = Path(text) if folder is None else folder / text
    if not file.is_file():
        reason = "is a directory" if file.is_dir() else "doesn't exist"
        named = text if folder is None else str(file)
        raise WorkloadError(named, reason, "name a Python file with build() and data()")
    return Workload(file.stem, file.resolve())


def _from_name(text: str, known: dict[str, Workload]) -> Workload:
    if text in known:
        return known[text]
    near = get_close_matches(text, known, n=3, cutoff=0.4)
    hint = (
        f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known) or 'none'}"
    )
    raise UsageError(text, "no workload has this name", hint)
