"""What a Python interpreter holds: it is asked for versions, and imports no framework."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from keras_bench.environments import installed
from keras_bench.errors import BackendError
from keras_bench.fit_values import shown
from keras_bench.records import BACKENDS, BACKENDS_OF, Environment

#: What a worker imports that decides speed or results: a backend's module is called like it.
MODULES = ("keras", *BACKENDS_OF["predict"], "jaxlib")

#: How long interpreters may take to answer: on a slow disk they import for some seconds.
MOST_SECONDS = 60.0

REMEDY = "name the python of an environment, such as .venv/bin/python"


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter, what it holds, and the backends that it can run."""

    python: str
    environment: Environment

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends whose framework is installed beside Keras."""
        return tuple(name for name in BACKENDS if self.environment.holds(name))


def probe(pythons: Mapping[str, str]) -> dict[str, Interpreter]:
    """Ask the interpreter of each backend what it holds, all at once, importing no framework.

    Raises:
        BackendError: a path is no Python interpreter of version 3.11 or newer.
    """
    with ExitStack() as stack:
        asked = {
            python: stack.enter_context(_asked(python)) for python in sorted(set(pythons.values()))
        }
        deadline = time.monotonic() + MOST_SECONDS
        probed = {
            python: _interpreter(python, process, deadline) for python, process in asked.items()
        }
    return {backend: probed[python] for backend, python in pythons.items()}


def require(interpreter: Interpreter, backend: str, how: str) -> None:
    """Raise BackendError unless an interpreter holds a backend; `how` to name another one."""
    if not interpreter.environment.holds(backend):
        raise BackendError(
            backend,
            f"isn't installed beside Keras in {interpreter.python}",
            f"install keras-bench[{backend}] there, or name another environment {how}",
        )


@contextmanager
def _asked(python: str) -> Iterator[subprocess.Popen[str]]:
    """Ask an interpreter what it holds; end it when the block is left, and what it has started."""
    try:
        process = subprocess.Popen(
            [python, "-I", installed.__file__, *MODULES],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise BackendError(python, _why_not_started(python, error), REMEDY) from None
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _why_not_started(python: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        # The program that a script's first line names may be what isn't there.
        missing = "the program that its first line names doesn't exist"
        return missing if Path(python).exists() else "no such interpreter"
    if Path(python).is_dir():
        return "is a folder"
    if isinstance(error, PermissionError):
        return "may not be executed (its x bit isn't set, or its disk doesn't allow it)"
    return f"can't be started ({(error.strerror or str(error)).lower()})"


def _interpreter(python: str, process: subprocess.Popen[str], deadline: float) -> Interpreter:
    try:
        printed, _ = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise BackendError(python, f"gave no answer within {MOST_SECONDS:g} s", REMEDY) from None
    try:
        python_version, versions, brought = _answer_in(printed)
        version_pair = tuple(int(part) for part in python_version.split(".")[:2])
        environment = Environment(
            python_version,
            packages=tuple(sorted(versions.items())),
            distributions=tuple((module, name) for module, name in brought),
        )
    except (ValueError, TypeError, AttributeError):
        last = printed.strip().splitlines()[-1:]
        what = f"ended with exit code {process.returncode}, and last printed {shown(*last or [''])}"
        reason = f"doesn't answer as a Python interpreter: it {what}"
        raise BackendError(python, reason, REMEDY) from None
    if version_pair < (3, 11):
        raise BackendError(python, f"is Python {python_version}", "name one of 3.11 or newer")
    return Interpreter(python, environment)


def _answer_in(printed: str) -> list[Any]:
    """Return the answer among the printed lines: a start-up file may print a banner before it."""
    for line in reversed(printed.splitlines()):
        with suppress(ValueError, RecursionError):
            if isinstance(answer := json.loads(line), list):
                return answer
    raise ValueError("no line of it is an answer")


def this_python_has(addition: str | Path) -> bool:
    """Tell whether the interpreter that runs the suite meets a requirement, as far as it tells."""
    if isinstance(addition, Path):
        return False
    requirement = Requirement(addition)
    if requirement.url or requirement.extras:
        return False
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def this_python() -> str:
    """Return the interpreter that runs the suite."""
    return sys.executable
