"""Lists, makes and prunes environments: `keras-bench environments`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from keras_bench.environments.cache import CAP_BYTES, MOST_DAYS_UNUSED, Cache, Made, cache_folder
from keras_bench.environments.finding import environments_of
from keras_bench.records import EnvironmentChoice
from keras_bench.report.terminal import busy, make_console, say


def list_environments(folder: Path | None) -> None:
    """Print all that are made, the one used last first."""
    console = make_console()
    cache = Cache(cache_folder(folder))
    entries = cache.entries()
    if entries:
        _print(console, entries)
    total = sum(entry.size_bytes for entry in entries)
    count = f"{len(entries)} environment{'' if len(entries) == 1 else 's'}"
    console.print(Text(f"{count} of {_gigabytes(total)} in {cache.folder}"), soft_wrap=True)


def make_environments(backends: Sequence[str], choice: EnvironmentChoice) -> None:
    """Make the own environments of backends where they aren't there; print their interpreters."""
    console = make_console()
    finder = environments_of(choice, say(console), busy(console))
    for backend in backends:
        console.print(Text(f"{backend}: {finder.own(backend)}"), soft_wrap=True)


def prune_environments(folder: Path | None) -> None:
    """Remove what wasn't used for long or exceeds the cap, and print it."""
    console = make_console()
    removed = Cache(cache_folder(folder)).prune(datetime.now(UTC))
    if removed:
        _print(console, removed)
    freed = _gigabytes(sum(entry.size_bytes for entry in removed))
    rule = f"unused for {MOST_DAYS_UNUSED} days, or beyond {_gigabytes(CAP_BYTES)} together"
    console.print(f"removed {len(removed)} of {freed}: {rule}")


def _print(console: Console, entries: Sequence[Made]) -> None:
    grid = Grid("backend", "holds", "Python", "size", "last used", box=SIMPLE_HEAD)
    for entry in entries:
        grid.add_row(
            entry.backend, Text(entry.asked), entry.python_version, _gigabytes(entry.size_bytes),
            entry.used_utc[:10],
        )  # fmt: skip
    console.print(grid)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB"
