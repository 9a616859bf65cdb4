"""Where the project's own files are."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]

#: The folder that holds the import package: what PYTHONPATH needs where it isn't installed.
SOURCES = PROJECT / "bench"


def linked_results(page: str, folder: str) -> list[Path]:
    """Return the stored results of one kind (runs, gates, calibration) that a page links to.

    Only those are the project's own: commands that are run in the project write beside them.
    """
    text = (PROJECT / page).read_text(encoding="utf-8")
    links = re.findall(rf"\((?:\.\./)*(results/{folder}/[^)]*\.json)\)", text)
    return [PROJECT / link for link in links]
