"""What the interpreter that runs this file can import, and in which version; nothing is imported.

The suite runs it in other environments, so it needs the standard library alone, and is read by
Pythons that are too old for the suite as well.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

#: What stands for a distribution where none has installed the module: a checkout, or a folder that
#: an editable installation or a .pth file names.
SOURCE = "source"

#: The version of a module whose source tells none.
UNKNOWN = "unknown"

#: Where a package's source tells its version, and how.
VERSION_FILES = ("src/version.py", "version.py", "_version.py", "__init__.py")
VERSION = re.compile(r"""^_{0,2}version(?:__)?(?::\s*str)?\s*=\s*["']([^"']+)["']""", re.MULTILINE)


def main(modules: list[str]) -> None:
    """Print Python's version, those of the modules, and what distributions bring them, as JSON.

    Of a module with several distributions comes first the one whose files are there.
    """
    installed = [(each, each.read_text("RECORD")) for each in distributions()]
    versions: dict[str, str] = {}
    brought: list[list[str]] = []
    for module in modules:
        folder = _folder(module)
        if folder is None:
            continue
        found = [each for each, record in installed if _brings(each, record, module, folder)]
        told = _source_version(folder)
        # Those that are installed in one place have overwritten each other's files.
        found.sort(key=lambda each: each.version != told)
        versions[module] = found[0].version if found else told or UNKNOWN
        names = list(dict.fromkeys(map(_name, found))) or [SOURCE]
        if names != [module]:
            brought += [[module, name] for name in names]
    print(json.dumps([platform.python_version(), versions, brought]))


def _folder(module: str) -> Path | None:
    """Return the folder of a package, None where there is none or it is left without its code."""
    spec = find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _brings(distribution: Distribution, record: str | None, module: str, folder: Path) -> bool:
    """Tell whether a distribution has installed this folder: one further back brings another.

    `record` is its list of files, None where it was installed by other means than a wheel.
    """
    if record is None:
        top_level = (distribution.read_text("top_level.txt") or "").split()
        lists = module in (*top_level, _name(distribution))
    else:
        lists = f"\n{module}/__init__.py," in f"\n{record}"
    return lists and os.path.realpath(str(distribution.locate_file(module))) == os.path.realpath(
        folder
    )


def _name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or UNKNOWN).lower()


def _source_version(folder: Path) -> str | None:
    for name in VERSION_FILES:
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if told := VERSION.search(text):
            return told[1]
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
