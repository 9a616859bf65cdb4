"""The Python that environments are made with: the one that runs the suite, or another one."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_bench.environments.interpreters import probe
from keras_bench.errors import BackendError


@dataclass(frozen=True)
class Python:
    """An interpreter, and its whole version: "3.13.0"."""

    path: str
    version: str


def running_python() -> Python:
    """Return the one that runs the suite."""
    return Python(sys.executable, platform.python_version())


def find_python(asked: str) -> Python:
    """Return the interpreter that is asked for: by its version, such as "3.13", or its path.

    Of a version it is the one that runs the suite, or the first on the PATH that answers, or the
    one that uv finds.

    Raises:
        BackendError: there is none, or it is too old.
    """
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", asked):
        path = str(Path(asked).expanduser())
        return _probed(shutil.which(path) or path)
    if _is_of(running_python().version, asked):
        return running_python()
    for path in _candidates(asked):
        try:
            found = _probed(path)
        except BackendError:
            continue  # Such as a stand-in of pyenv for a version that isn't chosen.
        if _is_of(found.version, asked):
            return found
    raise BackendError(
        f"Python {asked}",
        "none from version 3.11 on is found on the PATH or by uv",
        "install it, for example by `uv python install`, or give the path of its interpreter",
    )


def _probed(path: str) -> Python:
    return Python(path, probe({"": path})[""].environment.python_version)


def _is_of(version: str, asked: str) -> bool:
    return f"{version}.".startswith(f"{asked}.")


def _candidates(version: str) -> Iterator[str]:
    """Give the interpreters that should be of a version."""
    major, minor = version.split(".")[:2]
    for folder in os.get_exec_path():
        if path := shutil.which(f"python{major}.{minor}", path=folder):
            yield path
    if uv := shutil.which("uv"):
        command = [uv, "python", "find", version]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            yield found.stdout.strip()
