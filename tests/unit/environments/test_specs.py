"""What a user may write for an environment."""

import sys
from pathlib import Path

import pytest

from keras_bench.environments.specs import (
    FolderSpec,
    InterpreterSpec,
    NoRequirement,
    RequirementsSpec,
    RevisionSpec,
    label_of,
    parse_addition,
    parse_spec,
)
from keras_bench.errors import BackendError, UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """A folder with a project, a virtual environment and a folder of a package's name."""
    for name in ("keras", "checkout", "empty"):
        (tmp_path / name).mkdir()
    for project in (tmp_path, tmp_path / "checkout", tmp_path / "keras"):
        (project / "pyproject.toml").touch()
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "venv" / "bin" / "python").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("keras", ("keras",)),  # Though a folder is called that.
        ("keras==3.14.1 jax<0.10", ("keras==3.14.1", "jax<0.10")),
        ("keras-nightly==3.16.0.dev2026102704", ("keras-nightly==3.16.0.dev2026102704",)),
    ],
)
def test_requirements(here: Path, text: str, requirements: tuple[str, ...]):
    assert parse_spec(text) == RequirementsSpec(requirements)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("keras==3.14.1", "keras 3.14.1"),
        ("keras-nightly==3.16.0.dev2026102704", "keras-nightly 3.16.0.dev2026102704"),
        ("keras==3.14.1 jax<0.10", "keras==3.14.1 jax<0.10"),
        ("keras==3.14.*", "keras==3.14.*"),
        ("git:main", "git:main"),
        ("./a==b", "./a==b"),
    ],
)
def test_a_pinned_version_is_called_by_its_name_and_number(text: str, label: str):
    assert label_of(text) == label


def test_a_path_is_a_project_a_virtual_environment_or_an_interpreter(here: Path):
    assert parse_spec(".") == FolderSpec(here)
    assert parse_spec("./keras") == FolderSpec(here / "keras")
    assert parse_spec("checkout/") == FolderSpec(here / "checkout")
    assert parse_spec("./venv") == InterpreterSpec(str(here / "venv" / "bin" / "python"))
    assert parse_spec(sys.executable) == InterpreterSpec(sys.executable)


def test_a_link_to_an_interpreter_stays_one(here: Path):
    (here / "python").symlink_to(sys.executable)
    assert parse_spec("./python") == InterpreterSpec(str(here / "python"))


@pytest.mark.parametrize(
    ("text", "folder", "revision"),
    [
        ("git:main", ".", "main"),
        ("git:HEAD~2", ".", "HEAD~2"),
        ("git:HEAD@{1}", ".", "HEAD@{1}"),
        ("git:checkout@v3.14.1", "checkout", "v3.14.1"),
        ("git:./checkout@feature/x", "checkout", "feature/x"),
    ],
)
def test_a_revision_follows_the_last_at_sign(here: Path, text: str, folder: str, revision: str):
    assert parse_spec(text) == RevisionSpec((here / folder).resolve(), revision)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "asks for no environment"),
        ("keras=3.14", "'keras=3.14' is no requirement"),
        ("keras >= 3.14", "'>=' is no requirement"),
        ("./nowhere", "no such interpreter or folder"),
        ("/nowhere/python", "no such interpreter or folder"),
        ("./empty", "neither a pyproject.toml nor a setup.py"),
        ("git:", "names no revision"),
        ("git:checkout@", "names no revision"),
        ("git:--output=x", "--output=x is no revision"),
        ("git:checkout@-x", "-x is no revision"),
        ("git:nowhere@main", "there is no folder nowhere"),
    ],
)
def test_what_is_none_is_answered_in_one_line(here: Path, text: str, reason: str):
    with pytest.raises((BackendError, UsageError)) as caught:
        parse_spec(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["pandas", "pandas<3", "pandas[excel] ; python_version > '3'", "mine @ https://a/b.whl"]
)
def test_an_addition_is_a_requirement_as_it_is_written(here: Path, text: str):
    assert parse_addition(text, here) == text


def test_an_addition_may_be_a_folder_beside_what_names_it(here: Path, monkeypatch):
    monkeypatch.chdir(here / "empty")
    assert parse_addition("./checkout", here) == here / "checkout"
    assert parse_addition("../checkout", Path.cwd()) == here / "checkout"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pandas numpy", "is no requirement"),
        ("", "is no requirement"),
        ("./nowhere", "is no folder"),
        ("./venv/bin/python", "is no folder"),
        ("./empty", "holds no Python project"),
    ],
)
def test_what_cannot_be_installed_is_no_addition(here: Path, text: str, reason: str):
    with pytest.raises(NoRequirement, match=f"^{reason}"):
        parse_addition(text, here)
