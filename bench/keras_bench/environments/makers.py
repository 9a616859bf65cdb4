"""Makes environments: by venv and pip, or by uv.

pip and uv are the user's own, with his configuration, indexes and proxies.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from keras_bench.environments.recipes import Recipe

#: The end of the name of a wheel that holds nothing compiled.
PURE = "-none-any.whl"

#: What pip's and uv's configurations call an index of the user's own.
PIP_INDEXES = ("index-url", "extra-index-url", "find-links", "no-index")
UV_INDEXES = (
    "UV_TORCH_BACKEND", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS", "UV_NO_INDEX", "UV_CONFIG_FILE",
)  # fmt: skip

#: What pip says of a package that no index has, or of which no index answers.
NOWHERE = "(from versions: none)"

#: A disk with less free is full: nothing of an environment is so small.
LEAST_FREE_BYTES = 2**16

#: What has uv take PyTorch's build for the CPU.
CPU_TORCH = ("--torch-backend", "cpu")


class CannotMake(Exception):
    """An environment can't be made; the text is the reason, in one line."""


class DiskIsFull(CannotMake):
    """The disk is full, whatever else a tool says of it."""


class Maker(Protocol):
    """What makes an environment in a folder that isn't there yet.

    All that its tools print goes to `log`. Raises CannotMake, OSError. `stacks` tells whether
    `make_on` makes anything.
    """

    stacks: ClassVar[bool]

    def make(self, recipe: Recipe, folder: Path, log: Path) -> None:
        """Make a virtual environment that holds what a recipe asks for."""

    def make_on(self, base: Path, recipe: Recipe, folder: Path, log: Path) -> bool:
        """Make one that is the environment at `base` and pure Python packages before it.

        Returns False, and makes nothing, if the recipe needs more than that.
        """


@dataclass(frozen=True)
class PipMaker:
    """Makes environments by venv and pip."""

    stacks: ClassVar[bool] = True

    def make(self, recipe: Recipe, folder: Path, log: Path) -> None:
        _make_venv(Path(recipe.python), recipe, folder, log)
        python = python_of(folder)
        with _inputs(recipe, python, log) as arguments:
            if _may_bring_cuda(recipe) and _uv() and _is_done(_uv_install(python, arguments), log):
                return
            _pip_run(python, ["install", *arguments], log)

    def make_on(self, base: Path, recipe: Recipe, folder: Path, log: Path) -> bool:
        python = python_of(base)
        with _inputs(recipe, python, log) as arguments:
            changes = _changes(python, arguments, log)
            if not all(change.is_pure for change in changes):
                return False
            _make_venv(python, recipe, folder, log, "--without-pip")
            (own,) = folder.glob("lib/*/site-packages")
            (beside,) = base.glob("lib/*/site-packages")
            # What is installed here is found first.
            (own / "base.pth").write_text(f"import site; site.addsitedir({str(beside)!r})\n")
            if changes:
                into = ["--python", str(python_of(folder)), "install", "--no-deps"]
                _pip_run(python, [*into, *(change.requirement for change in changes)], log)
        return True


@dataclass(frozen=True)
class UvMaker:
    """Makes environments by uv, whose files are links to those of its cache."""

    stacks: ClassVar[bool] = False

    def make(self, recipe: Recipe, folder: Path, log: Path) -> None:
        _run(["uv", "venv", "--quiet", "--seed", "--python", recipe.python, str(folder)], log)
        python = python_of(folder)
        with _inputs(recipe, python, log) as arguments:
            install = _uv_install(python, arguments)
            if not (_may_bring_cuda(recipe) and _is_done(install, log)):
                _run([argument for argument in install if argument not in CPU_TORCH], log)

    def make_on(self, base: Path, recipe: Recipe, folder: Path, log: Path) -> bool:
        return False


def chosen_maker() -> Maker:
    """Return what makes environments: uv if the variable KERAS_BENCH_INSTALLER says so, or pip."""
    return UvMaker() if os.environ.get("KERAS_BENCH_INSTALLER") == "uv" else PipMaker()


def brings_cuda(recipe: Recipe) -> bool:
    """Tell whether a recipe's PyTorch will be a build with CUDA, which no benchmark here uses."""
    return _may_bring_cuda(recipe) and not _uv()


def python_of(folder: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return folder / "bin" / "python"


@dataclass(frozen=True)
class _Change:
    """A package that pip would install: what to ask pip for, and whether it is pure Python."""

    requirement: str
    is_pure: bool


def _changes(python: Path, arguments: Sequence[str], log: Path) -> list[_Change]:
    """Return what pip would install into an environment."""
    report = log.with_suffix(".json")
    _pip_run(python, ["install", "--dry-run", "--report", str(report), *arguments], log)
    try:
        found = json.loads(report.read_text())["install"]
    finally:
        report.unlink(missing_ok=True)
    return [_change(package) for package in found]


def _change(installed: dict[str, Any]) -> _Change:
    address = installed["download_info"]["url"]
    name, version = installed["metadata"]["name"], installed["metadata"]["version"]
    is_local = address.startswith("file:") and "archive_info" in installed["download_info"]
    requirement = f"{name} @ {address}" if is_local else f"{name}=={version}"
    return _Change(requirement, address.partition("#")[0].endswith(PURE))


@contextmanager
def _inputs(recipe: Recipe, python: Path, log: Path) -> Iterator[list[str]]:
    """Give the arguments of an installation; projects are built to wheels first."""
    with tempfile.TemporaryDirectory(prefix="keras-bench-") as name:
        wheels = _wheels(recipe, python, Path(name), log)
        built = {parse_wheel_filename(wheel.name)[0] for wheel in wheels}
        constraints = Path(name) / "constraints.txt"
        constraints.write_text("\n".join(_without(built, recipe.constraints)))
        wanted = [*_without(built, recipe.requirements), *map(str, wheels)]
        yield [*wanted, "--constraint", str(constraints)]


def _wheels(recipe: Recipe, python: Path, folder: Path, log: Path) -> list[Path]:
    for source in recipe.sources:
        build = ["wheel", "--no-deps", "--wheel-dir", str(folder), str(source.folder)]
        _pip_run(python, build, log)
    return sorted(folder.glob("*.whl"))


def _without(names: set[Any], requirements: Sequence[str]) -> list[str]:
    """Return the requirements of other distributions than these."""
    return [
        requirement
        for requirement in requirements
        if canonicalize_name(Requirement(requirement).name) not in names
    ]


def _make_venv(python: Path, recipe: Recipe, folder: Path, log: Path, *options: str) -> None:
    try:
        _run([str(python), "-m", "venv", *options, str(folder)], log)
    except CannotMake:
        if "ensurepip is not available" not in log.read_text(errors="replace"):
            raise
        package = f"python{'.'.join(recipe.python_version.split('.')[:2])}-venv"
        reason = f"{python} has no ensurepip, which Debian and Ubuntu have in {package}"
        raise CannotMake(reason) from None


def _may_bring_cuda(recipe: Recipe) -> bool:
    """Tell whether PyTorch comes from PyPI, whose builds for Linux include CUDA."""
    return recipe.backend == "torch" and sys.platform == "linux" and not _has_own_index()


def _has_own_index() -> bool:
    """Tell whether the user has named an index of his own to pip or to uv."""
    # An empty variable names none: a workflow sets one where its repository has nothing to say.
    if any(os.environ.get(name) for name in UV_INDEXES):
        return True
    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    pairs = (line.partition("=") for line in settings.splitlines())
    return any(key.rpartition(".")[2] in PIP_INDEXES and value != "''" for key, _, value in pairs)


def _uv() -> bool:
    return shutil.which("uv") is not None


def _uv_install(python: Path, arguments: Sequence[str]) -> list[str]:
    return ["uv", "pip", "install", "--python", str(python), *CPU_TORCH, *arguments]


def _is_done(command: Sequence[str], log: Path) -> bool:
    """Run a tool, and tell whether it did its work."""
    try:
        _run(command, log)
    except CannotMake:
        return False
    return True


def _pip(python: Path, *arguments: str) -> list[str]:
    return [str(python), "-m", "pip", "-v", "--disable-pip-version-check", "--no-input", *arguments]


def _pip_run(python: Path, arguments: Sequence[str], log: Path) -> None:
    """Run pip to its end; raise CannotMake with its own reason if it fails."""
    try:
        _run(_pip(python, *arguments), log)
    except CannotMake as error:
        if NOWHERE not in str(error):
            raise
        # Why an index didn't answer is said by many words alone, and those are many.
        _run(_pip(python, "-vv", *arguments), log)


def _run(command: Sequence[str], log: Path) -> None:
    """Run a tool to its end; raise CannotMake with its own reason if it fails."""
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    with log.open("a+", encoding="utf-8", errors="replace") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        start = file.tell()
        process = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=variables, check=False
        )
        file.seek(start)
        output = file.read()
    if process.returncode != 0:
        if shutil.disk_usage(log.parent).free < LEAST_FREE_BYTES:
            raise DiskIsFull("no space is left on the disk")
        raise CannotMake(reason_of(output))


def reason_of(output: str) -> str:
    """Return the lines of an installer's output that say why it failed, as one."""
    lines = [line.strip() for line in output.splitlines()]
    # pip goes on without an index that doesn't answer, and then misses the package.
    unanswered = [found[1] or found[2] for found in map(_UNANSWERED.search, lines) if found]
    telling = [line for line in lines if " depends on " in line]
    errors = [re.sub(r"^(ERROR|error): ", "", line) for line in lines if _is_error(line)]
    last = [line for line in lines if line][-3:]
    if BUILD_FAILED in lines[1:]:
        return f"its build fails with {lines[lines.index(BUILD_FAILED) - 1]}"
    if unanswered:
        return f"an index doesn't answer ({unanswered[-1]})"
    reasons = "; ".join(dict.fromkeys(telling or errors or last)) or "the installer failed"
    # pip names all versions that there are, hundreds of some packages.
    return re.sub(r"\(from versions: .*, (\S+)\)", r"(the newest is \1)", reasons)


#: What pip says below the output of a project's own build.
BUILD_FAILED = "error: subprocess-exited-with-error"

#: What pip says of an index that refuses a connection or a request.
_UNANSWERED = re.compile(
    # What a package that an index doesn't have comes to, 404, says nothing of the index.
    r"(?:connection broken by|connection error: ).*: ([^:]+?)'\)"
    r"|Could not fetch URL .*?: ((?!404)\d+ .*?) for url"
)


def _is_error(line: str) -> bool:
    return line.startswith(("ERROR: ", "error: ", "Caused by: "))
