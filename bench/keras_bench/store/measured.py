"""Finds and reads one of two runs that are to be compared: a file, `latest`, or a git revision."""

import json
import os
import subprocess
from pathlib import Path

import msgspec

from keras_bench.analyze.measured import MeasuredRun, measured_run
from keras_bench.errors import ResultsBroken
from keras_bench.soundness import fault_of_measured
from keras_bench.store import latest, runs
from keras_bench.store.files import read_file

#: The word for the run that the tables of a results directory show.
LATEST = "latest"

REMEDY = "name a file of results/runs/, a latest.json, `latest`, or a git revision that holds one"


def find(name: str, results: Path) -> MeasuredRun:
    """Read the run that a name stands for.

    A file of that name wins over a revision. Of a revision, it is the `latest.json` that the
    results directory of its repository held.

    Raises:
        ResultsBroken: there is none, or it isn't a run.
    """
    if name == LATEST:
        return _read_file(results / "latest.json", name)
    file = Path(name)
    if file.is_file():
        return _read_file(file, name)
    return _of_revision(name, results)


def read(content: bytes, source: str) -> MeasuredRun:
    """Read a stored run in either form; raise ResultsBroken for anything else.

    Args:
        content: of the file.
        source: what the user called it by.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ResultsBroken(source, f"isn't JSON ({error})", REMEDY) from None
    try:
        if "tables" in document:
            return latest.from_document(document, source)
        run = runs.from_document(document)
        if fault := fault_of_measured(run):
            raise TypeError(fault)
        return measured_run(run, source)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise ResultsBroken(source, f"isn't a run of keras-bench ({error})", REMEDY) from None


def _read_file(file: Path, name: str) -> MeasuredRun:
    try:
        content = read_file(file)
    except OSError as error:
        reason = f"can't be read ({(error.strerror or str(error)).lower()})"
        raise ResultsBroken(str(file), reason, REMEDY) from None
    return read(content, name)


def _of_revision(name: str, results: Path) -> MeasuredRun:
    question = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    commit = _answer(question, name, "git knows no such revision").decode().strip()
    path = f"{_in_repository(results, name)}/latest.json"
    content = _git(["show", f"{commit}:{path}"], name)
    if content.returncode != 0:
        raise ResultsBroken(name, f"is a revision that holds no {path}", REMEDY)
    return read(content.stdout, f"{name}:{path}")


def _in_repository(results: Path, name: str) -> str:
    """Return where in its repository a results directory lies; a relative one from its root."""
    if not results.is_absolute():
        return results.as_posix()
    question = ["rev-parse", "--show-toplevel"]
    root = Path(_answer(question, name, "git knows no work tree").decode().strip())
    try:
        return Path(os.path.realpath(results)).relative_to(os.path.realpath(root)).as_posix()
    except ValueError:
        reason = f"is a revision of {root}, and {results} isn't in there"
        raise ResultsBroken(name, reason, REMEDY) from None


def _answer(question: list[str], name: str, otherwise: str) -> bytes:
    """Return git's answer; raise with what git says, or otherwise this, where it has none."""
    answer = _git(question, name)
    if answer.returncode != 0:
        said = answer.stderr.decode(errors="replace").strip().splitlines()
        reason = f"git says: {said[-1].removeprefix('fatal: ')}" if said else otherwise
        raise ResultsBroken(name, f"is no file, and {reason}", REMEDY)
    return answer.stdout


def _git(arguments: list[str], name: str) -> subprocess.CompletedProcess[bytes]:
    """Ask git about the folder that this is called in."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        reason = f"is no file, and git can't be asked ({(error.strerror or str(error)).lower()})"
        raise ResultsBroken(name, reason, REMEDY) from None
