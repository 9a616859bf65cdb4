"""What a Python interpreter holds: it is asked for versions, and imports no framework."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from keras_bench.environments import installed
from keras_bench.errors import BackendError
from keras_bench.records import BACKENDS, BACKENDS_OF, Environment

#: What a worker imports that decides speed or results: a backend's module is called like it.
MODULES = ("keras", *BACKENDS_OF["predict"], "jaxlib")


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
    distinct = sorted(set(pythons.values()))
    with ThreadPoolExecutor(max_workers=max(1, len(distinct))) as pool:
        probed = dict(zip(distinct, pool.map(_probe, distinct), strict=True))
    return {backend: probed[python] for backend, python in pythons.items()}


def require(interpreter: Interpreter, backend: str, how: str) -> None:
    """Raise BackendError unless an interpreter holds a backend; `how` to name another one."""
    if not interpreter.environment.holds(backend):
        raise BackendError(
            backend,
            f"isn't installed beside Keras in {interpreter.python}",
            f"install keras-bench[{backend}] there, or name another environment {how}",
        )


def _probe(python: str) -> Interpreter:
    remedy = "name the python of an environment, such as .venv/bin/python"
    try:
        answer = subprocess.run(
            [python, "-I", installed.__file__, *MODULES],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        python_version, versions, brought = json.loads(answer.stdout)
        version_pair = tuple(int(part) for part in python_version.split(".")[:2])
    except FileNotFoundError:
        raise BackendError(python, "no such interpreter", remedy) from None
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        raise BackendError(python, "doesn't answer as a Python interpreter", remedy) from None
    if version_pair < (3, 11):
        raise BackendError(python, f"is Python {python_version}", "name one of 3.11 or newer")
    environment = Environment(
        python_version,
        packages=tuple(sorted(versions.items())),
        distributions=tuple((module, name) for module, name in brought),
    )
    return Interpreter(python, environment)


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
