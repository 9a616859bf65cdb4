"""Where the project's own files are."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]

#: The folder that holds the import package: what PYTHONPATH needs where it isn't installed.
SOURCES = PROJECT / "bench"
