"""The environments that the suite has made, in a folder of the user's cache."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from keras_bench.environments.makers import CannotMake, DiskIsFull, Maker, python_of
from keras_bench.environments.recipes import Recipe
from keras_bench.errors import BackendError

#: The variable that names another folder than the user's cache.
FOLDER_VARIABLE = "KERAS_BENCH_CACHE"

#: Pruning removes environments that no command has used for so many days. Of the others it removes
#: those that were used longest ago, until the rest takes less than the cap.
MOST_DAYS_UNUSED = 30
CAP_BYTES = 20 * 10**9

#: How often a command that waits for another one's environment looks whether it is made.
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Made:
    """An environment in the cache: its content, as the user asked for it, and its size.

    `base` is the name of the environment that it holds the packages of, None for its own alone.
    `used_utc` is when a command last took it, "2026-11-27T03:28:37Z".
    """

    name: str
    backend: str
    asked: str
    requirements: tuple[str, ...]
    python_version: str
    size_bytes: int
    base: str | None
    used_utc: str = ""


def cache_folder(asked: Path | None = None) -> Path:
    """Return the folder that is asked for, or the one of the variable, or the user's cache."""
    if asked is not None:
        return asked.expanduser().absolute()
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser().absolute()
    return user_cache_path("keras-bench")


@dataclass(frozen=True)
class Cache:
    """A folder of environments, each below the name of its recipe.

    An environment counts as made once its stamp is there, which is written last.
    """

    folder: Path

    def find(self, recipe: Recipe) -> str | None:
        """Return the interpreter of the environment of a recipe, or None if none is made."""
        return self._python(recipe.name)

    def make(
        self,
        recipe: Recipe,
        asked: str,
        base: Recipe | None,
        maker: Maker,
        wait: Callable[[], None],
    ) -> str:
        """Make the environment of a recipe, or find it, and return its interpreter.

        It is made on the environment of `base`, if that is made and differs in pure Python
        packages alone. `asked` is what the user wrote; `wait` is called once if another command
        is making it.

        Raises:
            BackendError: it can't be made, or the folder can't be written.
        """
        try:
            with self._written(), self._locked(recipe.name, wait):
                if python := self._python(recipe.name):
                    return python
                self._make(recipe, asked, base, maker)
        except DiskIsFull as error:
            remedy = "free some (keras-bench environments --prune), or take another by --cache DIR"
            raise BackendError(str(self.folder), str(error), remedy) from None
        except CannotMake as error:
            # It may be stored, and a stored file names no folder of the machine.
            log = self._log(recipe.name).relative_to(self.folder)
            see = f"see {log} in the cache that `keras-bench environments` names"
            reason = f"can't be installed: {error}"
            raise BackendError(f"{asked} on {recipe.backend}", reason, see) from None
        return str(python_of(self._environment(recipe.name)))

    def revision(self, commit: str, unpack: Callable[[Path], None]) -> Path:
        """Return the folder with a commit's files, which `unpack` writes where it isn't there.

        Raises:
            BackendError: the folder can't be written.
        """
        folder = self.folder / "revisions" / commit
        with self._written():
            if not folder.is_dir():
                folder.parent.mkdir(parents=True, exist_ok=True)
                unpack(folder)
            os.utime(folder)
        return folder

    def entries(self) -> list[Made]:
        """Return all that are made, the one used last first."""
        stamps = self.folder.glob("environments/*/made.json")
        made = [found for stamp in stamps if (found := _read(stamp)) is not None]
        return sorted(made, key=lambda entry: entry.used_utc, reverse=True)

    def prune(self, now: datetime) -> list[Made]:
        """Remove what wasn't used for long or exceeds the cap, and what is half made.

        Returns what is removed. An environment goes with the one whose packages it holds.
        """
        removed = to_prune(self.entries(), now)
        for entry in removed:
            self._remove(entry.name)
        names = {entry.name for entry in self.entries()}
        for folder in self.folder.glob("environments/*"):
            if folder.is_dir() and folder.name not in names:
                # One that another command is making is locked.
                with suppress(Timeout), FileLock(self._lock(folder.name)).acquire(blocking=False):
                    shutil.rmtree(folder, ignore_errors=True)
        for folder in self.folder.glob("revisions/*"):
            used = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            if (now - used).days >= MOST_DAYS_UNUSED:
                shutil.rmtree(folder, ignore_errors=True)
        return removed

    def _make(self, recipe: Recipe, asked: str, base: Recipe | None, maker: Maker) -> None:
        folder, log = self._environment(recipe.name), self._log(recipe.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)  # It may be half made.
        try:
            stacked = (
                base is not None
                and self._python(base.name) is not None
                and maker.make_on(self._environment(base.name), recipe, folder, log)
            )
            if not stacked:
                maker.make(recipe, folder, log)
            entry = Made(
                recipe.name, recipe.backend, asked, recipe.requirements, recipe.python_version,
                size_of(folder), base.name if base is not None and stacked else None,
            )  # fmt: skip
            stamp = folder / "made.json"
            unfinished = stamp.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(asdict(entry)))
            unfinished.rename(stamp)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _python(self, name: str) -> str | None:
        """Return the interpreter of what is made, and note that it is used."""
        stamp = self._environment(name) / "made.json"
        entry, python = _read(stamp), python_of(stamp.parent)
        # An interpreter is a link to that of the system, which may have gone.
        if entry is None or not python.exists():
            return None
        if entry.base is not None and self._python(entry.base) is None:
            return None
        with suppress(OSError):
            os.utime(stamp)
        return str(python)

    def _remove(self, name: str) -> None:
        folder = self._environment(name)
        with suppress(OSError):
            (folder / "made.json").unlink()
        shutil.rmtree(folder, ignore_errors=True)
        self._log(name).unlink(missing_ok=True)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Say of what can't be written that it is the cache, and how to name another one."""
        try:
            yield
        except OSError as error:
            reason = f"can't be written ({(error.strerror or str(error)).lower()})"
            raise BackendError(
                str(self.folder), reason, "name another folder with --cache DIR"
            ) from None

    @contextmanager
    def _locked(self, name: str, wait: Callable[[], None]) -> Iterator[None]:
        self._environment(name).parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._lock(name))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            wait()
            lock.acquire(poll_interval=POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _environment(self, name: str) -> Path:
        return self.folder / "environments" / name

    def _lock(self, name: str) -> Path:
        return self.folder / "environments" / f"{name}.lock"

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.txt"


def to_prune(entries: Sequence[Made], now: datetime) -> list[Made]:
    """Return which of the environments to remove: the longest unused, and those made on them."""
    removed: list[Made] = []
    total = 0
    for entry in sorted(entries, key=lambda entry: entry.used_utc, reverse=True):
        total += entry.size_bytes
        unused = now - datetime.fromisoformat(entry.used_utc)
        # In one that was used today, a command may still run.
        if unused.days >= MOST_DAYS_UNUSED or (total > CAP_BYTES and unused.days >= 1):
            removed.append(entry)
    names = {entry.name for entry in removed}
    removed += [entry for entry in entries if entry.base in names and entry.name not in names]
    return removed


def size_of(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk, a file with two names once."""
    blocks = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            status = Path(parent, name).lstat()
            blocks[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(blocks.values())


def _read(stamp: Path) -> Made | None:
    """Return what a stamp says, or None where there is none that can be read."""
    try:
        fields = json.loads(stamp.read_text(encoding="utf-8"))
        used = datetime.fromtimestamp(stamp.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields["requirements"] = tuple(fields["requirements"])
        return Made(**{**fields, "name": stamp.parent.name, "used_utc": used})
    except (OSError, ValueError, TypeError, KeyError):
        return None
