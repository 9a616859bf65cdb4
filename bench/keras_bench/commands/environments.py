"""Lists, makes and prunes environments: `keras-bench environments`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.numbers import whole
from keras_bench.environments.cache import CAP_BYTES, MOST_DAYS_UNUSED, Cache, Made, cache_folder
from keras_bench.environments.finding import environments_of
from keras_bench.records import EnvironmentChoice
from keras_bench.report.terminal import busy, make_console, print_table, say
from keras_bench.report.text_table import Head, TextTable


def list_environments(folder: Path | None) -> None:
    """Print all that are made, the one used last first."""
    console = make_console()
    cache = Cache(cache_folder(folder))
    entries = cache.entries()
    if entries:
        _print(console, entries)
    total = sum(entry.size_bytes for entry in entries)
    count = f"{len(entries)} environment{'' if len(entries) == 1 else 's'}"
    console.print(Text(f"{count} of {whole(total, 'B')} in {cache.folder}"))


def make_environments(backends: Sequence[str], choice: EnvironmentChoice) -> None:
    """Make the own environments of backends where they aren't there; print their interpreters."""
    console = make_console()
    finder = environments_of(choice, say(console), busy(console))
    for backend in backends:
        console.print(Text(f"{backend}: {finder.own(backend)}"))


def prune_environments(folder: Path | None) -> None:
    """Remove what wasn't used for long or exceeds the cap, and print it."""
    console = make_console()
    removed = Cache(cache_folder(folder)).prune(datetime.now(UTC))
    if removed:
        _print(console, removed)
    freed = whole(sum(entry.size_bytes for entry in removed), "B")
    rule = f"unused for {MOST_DAYS_UNUSED} days, or beyond {whole(CAP_BYTES, 'B')} together"
    console.print(f"removed {len(removed)} of {freed}: {rule}")


def _print(console: Console, entries: Sequence[Made]) -> None:
    heads = [
        Head("backend"),
        Head("holds"),
        Head("Python"),
        Head("size", numeric=True),
        Head("last used"),
    ]
    rows = [
        [
            entry.backend,
            entry.asked,
            entry.python_version,
            whole(entry.size_bytes, "B"),
            entry.used_utc[:10],
        ]
        for entry in entries
    ]
    print_table(console, TextTable(heads, rows))
