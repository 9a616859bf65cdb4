"""What a Python interpreter holds: it is asked for versions, and imports no framework."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from keras_bench.errors import BackendError, UsageError
from keras_bench.records import BACKENDS, BACKENDS_OF, DISTRIBUTIONS, Environment, Task

#: What decides speed or results, besides the frameworks themselves.
RECORDED_PACKAGES = ("keras", "jaxlib", "numpy")

#: Why a backend is refused that only predicts.
NO_TRAINING = "Keras can't train on this backend, only predict"
PREDICT_INSTEAD = "measure that, with `keras-bench run --task predict`"

_PROBE = """
import json, platform
from importlib.metadata import distributions
wanted = set(json.loads({wanted!r}))
found = {{}}
for distribution in distributions():
    name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
    if name in wanted:
        found.setdefault(name, distribution.version)
print(json.dumps([platform.python_version(), found]))
"""


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


def probe_backends(pythons: Mapping[str, str]) -> dict[str, Interpreter]:
    """Probe the interpreter of every backend: the one given, or the one that runs the suite."""
    every = BACKENDS_OF["predict"]
    return probe({backend: pythons.get(backend, this_python()) for backend in every})


def choose(
    asked: tuple[str, ...],
    interpreters: Mapping[str, Interpreter],
    pythons: Mapping[str, str],
    task: Task = "train",
) -> dict[str, Interpreter]:
    """Return the backends to measure: those asked for, or all that are installed.

    Raises:
        UsageError: one that was asked for can't do the task.
        BackendError: one that was asked for isn't installed, or none is.
    """
    able = BACKENDS_OF[task]
    for backend in asked or tuple(pythons):
        if backend not in able:
            raise UsageError(backend, NO_TRAINING, PREDICT_INSTEAD)
        require(interpreters[backend], backend, f"with --env {backend}=PYTHON")
    chosen = asked or tuple(name for name in able if interpreters[name].environment.holds(name))
    if not chosen:
        raise BackendError(
            this_python(),
            "holds no backend",
            "install keras-bench[jax], [tensorflow] or [torch], or name environments with --env",
        )
    return {backend: interpreters[backend] for backend in chosen}


def require(interpreter: Interpreter, backend: str, how: str) -> None:
    """Raise BackendError unless an interpreter holds a backend; `how` to name another one."""
    if not interpreter.environment.holds(backend):
        raise BackendError(
            backend,
            f"isn't installed beside Keras in {interpreter.python}",
            f"install keras-bench[{backend}] there, or name another environment {how}",
        )


def _probe(python: str) -> Interpreter:
    names = [name for family in DISTRIBUTIONS.values() for name in family]
    wanted = json.dumps([*names, *RECORDED_PACKAGES])
    remedy = "name the python of an environment, such as .venv/bin/python"
    try:
        answer = subprocess.run(
            [python, "-I", "-c", _PROBE.format(wanted=wanted)],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        python_version, found = json.loads(answer.stdout)
        version_pair = tuple(int(part) for part in python_version.split(".")[:2])
    except FileNotFoundError:
        raise BackendError(python, "no such interpreter", remedy) from None
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        raise BackendError(python, "doesn't answer as a Python interpreter", remedy) from None
    if version_pair < (3, 11):
        raise BackendError(python, f"is Python {python_version}", "name one of 3.11 or newer")
    return Interpreter(python, Environment(python_version, tuple(sorted(found.items()))))


def this_python() -> str:
    """Return the interpreter that runs the suite."""
    return sys.executable
