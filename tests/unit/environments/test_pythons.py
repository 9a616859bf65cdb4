"""Which interpreter is meant by `--python`."""

import json
import sys
from pathlib import Path

import pytest

from keras_bench.environments.pythons import Python, find_python, running_python
from keras_bench.errors import BackendError


@pytest.fixture
def program(tmp_path: Path, monkeypatch):
    """Write a program that prints this, in a folder of its own on the PATH."""
    monkeypatch.setenv("PATH", "")

    def write(folder: str, name: str, answer: str) -> str:
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{answer}\n")
        file.chmod(0o755)
        folders = sorted(each for each in tmp_path.iterdir() if each.is_dir())
        monkeypatch.setenv("PATH", ":".join(map(str, folders)))
        return str(file)

    return write


def answering(version: str) -> str:
    return f"echo '{json.dumps([version, {}, []])}'"


def test_the_running_one_is_taken_where_it_is_of_that_version():
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(minor) == find_python(running_python().version) == running_python()


def test_a_version_is_the_first_on_the_path_that_answers(program):
    program("1", "python3.99", "echo 'pyenv: python3.99: command not found' >&2; exit 127")
    program("2", "python3.99", answering("3.99.1"))
    python = program("3", "python3.99", answering("3.99.2"))
    assert find_python("3.99").version == "3.99.1"
    assert find_python("3.99.2") == Python(python, "3.99.2")


def test_what_is_not_on_the_path_is_found_by_uv(program):
    python = program("elsewhere", "python", answering("3.99.1"))
    program("1", "uv", f'[ "$*" = "python find 3.99" ] && echo {python}')
    assert find_python("3.99") == Python(python, "3.99.1")


def test_a_version_that_is_not_there_is_one_line_with_a_remedy(program):
    program("1", "uv", "echo 'error: No interpreter found' >&2; exit 2")
    with pytest.raises(BackendError, match=r"^Python 3\.99: none .*; install it, .*uv") as caught:
        find_python("3.99")
    assert "\n" not in str(caught.value)


def test_a_path_or_a_program_is_taken_as_it_is(program):
    python = program("1", "mypython", answering("3.99.1"))
    assert find_python(python) == find_python("mypython") == Python(python, "3.99.1")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(answering("3.10.13"), "is Python 3.10.13"), ("exit 1", "doesn't answer")],
)
def test_one_that_is_too_old_or_none_is_refused(program, answer: str, reason: str):
    with pytest.raises(BackendError, match=reason):
        find_python(program("1", "mypython", answer))
