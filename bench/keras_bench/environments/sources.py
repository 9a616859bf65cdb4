"""Projects that are installed: a folder as it is now, or a git repository as it was."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from keras_bench.environments.recipes import Source
from keras_bench.errors import UsageError

#: Folders whose content is no part of a project, but of what works on it.
LEFT_OUT = {
    ".git", ".hg", ".nox", ".tox", ".venv", "venv", "__pycache__", "build", "dist", "node_modules",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
}  # fmt: skip


def source_of(folder: Path) -> Source:
    """Return the project in a folder, with a digest of its files."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(f"{file.relative_to(folder)}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return Source(folder, digest.hexdigest())


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in LEFT_OUT
            and not name.endswith(".egg-info")
            and not Path(parent, name, "pyvenv.cfg").is_file()
        )
        for name in sorted(names):
            file = Path(parent, name)
            if file.is_file():
                yield file


def commit_of(repository: Path, revision: str) -> str:
    """Return the full hash of the commit that a revision names.

    Raises:
        UsageError: the folder is in no repository, there is no such revision, or no git.
    """
    spec = f"git:{revision}"
    try:
        _git(repository, "rev-parse", "--git-dir")
    except subprocess.CalledProcessError:
        raise UsageError(spec, f"{repository} is in no git repository", "name one") from None
    except FileNotFoundError:
        raise UsageError(spec, "git isn't installed", "install it") from None
    try:
        named = f"{revision}^{{commit}}"
        return _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", named)
    except subprocess.CalledProcessError:
        raise UsageError(
            spec, f"{repository} has no such revision", "name a commit, branch or tag"
        ) from None


def top_of(repository: Path) -> Path:
    """Return the top folder of the repository that a folder is in."""
    return Path(_git(repository, "rev-parse", "--show-toplevel"))


def unpack(repository: Path, commit: str, folder: Path) -> None:
    """Write the files of a commit into a folder that isn't there yet, whole or not at all."""
    command = ["git", "-C", str(top_of(repository)), "archive", commit]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(unfinished, filter="data")
    try:
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished)
        if not folder.is_dir():  # Another command was faster.
            raise


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
