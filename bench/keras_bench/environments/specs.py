"""What a user writes for an environment, read: nothing is looked up but whether a path is there."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from keras_bench.errors import BackendError, UsageError

#: What begins a git revision.
GIT = "git:"

FORMS = (
    'write requirements ("keras==3.14.1 jax<0.10"), a folder (./keras), git:REVISION,'
    " git:FOLDER@REVISION, or the path of an interpreter"
)


@dataclass(frozen=True)
class InterpreterSpec:
    """An interpreter that is there already."""

    python: str


@dataclass(frozen=True)
class FolderSpec:
    """A Python project that is installed as it is now."""

    folder: Path


@dataclass(frozen=True)
class RevisionSpec:
    """A git repository as it was at a revision."""

    repository: Path
    revision: str


@dataclass(frozen=True)
class RequirementsSpec:
    """Requirements as pip takes them, such as "keras==3.14.1"; none for the suite's own."""

    requirements: tuple[str, ...] = ()


Spec = InterpreterSpec | FolderSpec | RevisionSpec | RequirementsSpec


class NoRequirement(ValueError):
    """A text asks for nothing that can be installed; the message is the reason."""


def parse_spec(text: str) -> Spec:
    """Return what a text asks for.

    A text with a path's separator, or ".", is a file or a folder; so no folder captures the name
    of a package. A folder that is a virtual environment stands for its interpreter.

    Raises:
        UsageError: the text is none of these forms.
        BackendError: nothing is there.
    """
    if text.startswith(GIT):
        return _parse_revision(text)
    if _is_path(text):
        return _parse_path(text)
    if text.startswith(("python", "pypy")) and (found := shutil.which(text)):
        return InterpreterSpec(found)
    requirements = tuple(text.split())
    if not requirements:
        raise UsageError(repr(text), "asks for no environment", FORMS)
    for requirement in requirements:
        try:
            _check_requirement(requirement)
        except NoRequirement as error:
            raise UsageError(repr(text), f"{requirement!r} {error}", FORMS) from None
    return RequirementsSpec(requirements)


def label_of(text: str) -> str:
    """Return what an environment is called in tables and in the history.

    "keras==3.14.1" is "keras 3.14.1", as the series of older histories are.
    """
    return re.sub(r"^([\w.-]+)==([\w.+!-]+)$", r"\1 \2", text)


def parse_addition(text: str, beside: Path) -> str | Path:
    """Return what a text asks for besides: a requirement, or the folder of a Python project.

    A path is taken relative to the folder `beside`.

    Raises:
        NoRequirement: it is neither.
    """
    if not _is_path(text):
        _check_requirement(text)
        return text
    folder = Path(os.path.realpath(beside / Path(text).expanduser()))
    if not folder.is_dir():
        raise NoRequirement("is no folder")
    _check_project(folder)
    return folder


def _check_requirement(text: str) -> None:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise NoRequirement(f"is no requirement ({reason})") from None


def _check_project(folder: Path) -> None:
    if not any((folder / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise NoRequirement("holds no Python project: neither a pyproject.toml nor a setup.py")


def _is_path(text: str) -> bool:
    # A requirement's address has separators too: "keras @ https://...", "git+https://...".
    return "://" not in text and (text == "." or text.startswith("~") or os.sep in text)


def _parse_path(text: str) -> Spec:
    path = Path(text).expanduser()
    try:
        if not path.exists():
            raise BackendError(text, "no such interpreter or folder", FORMS)
        if path.is_file():
            # Not resolved: a virtual environment's interpreter is a link to another one.
            return InterpreterSpec(str(path.absolute()))
        if (path / "pyvenv.cfg").is_file():
            return InterpreterSpec(str((path / "bin" / "python").absolute()))
        _check_project(path)
    except NoRequirement as error:
        raise UsageError(text, str(error), FORMS) from None
    except PermissionError as error:
        raise UsageError(text, "can't be read (permission denied)", FORMS) from error
    return FolderSpec(Path(os.path.realpath(path)))


def _parse_revision(text: str) -> RevisionSpec:
    """Return the repository and the revision, which follows the last "@"."""
    place = text.removeprefix(GIT)
    repository, separator, revision = place.rpartition("@")
    # "git:HEAD@{1}" and "git:@{upstream}" are revisions as git writes them.
    if not separator or revision.startswith("{"):
        repository, revision = ".", place
    if not revision or not repository:
        raise UsageError(text, "names no revision", "write git:REVISION or git:FOLDER@REVISION")
    if revision.startswith("-"):
        raise UsageError(text, f"{revision} is no revision", "name a commit, branch or tag")
    folder = Path(repository).expanduser()
    if not folder.is_dir():
        raise UsageError(text, f"there is no folder {repository}", FORMS)
    return RevisionSpec(Path(os.path.realpath(folder)), revision)
