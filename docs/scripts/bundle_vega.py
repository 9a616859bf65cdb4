"""Makes the JavaScript that draws the plots of a page, and a file with the licences of its parts.

    python docs/scripts/bundle_vega.py

Vega-Lite is the release that the installed Altair writes specifications for, Vega and vega-embed
are the newest of those that Altair names. After a change of Altair's version in constraints.txt,
run this in an environment that has it. It needs npm.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import altair

ASSETS = Path(__file__).parents[2] / "bench" / "keras_bench" / "report" / "page" / "assets"

#: What the page uses, and whose releases are named in the first line of the JavaScript.
LIBRARIES = {
    "vega-embed": altair.VEGAEMBED_VERSION,
    "vega": altair.VEGA_VERSION,
    "vega-lite": altair.SCHEMA_VERSION.removeprefix("v"),
}

#: What they have copied parts of, and so don't depend on.
COPIED = {"fast-deep-equal": "3", "fast-json-stable-stringify": "2"}

#: How the names of files with licences begin, in any case.
LICENCE_FILES = ("license", "licence", "copying")

BUNDLER = {"esbuild": "0.28.2"}

ENTRY = 'import embed from "vega-embed"; window.vegaEmbed = embed;'


@dataclass(frozen=True)
class Package:
    """A package of npm, its release, and its licence word for word."""

    name: str
    version: str
    licence: str


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = {"dependencies": {**LIBRARIES, **COPIED}, "devDependencies": BUNDLER}
        (folder / "package.json").write_text(json.dumps(manifest))
        (folder / "entry.js").write_text(ENTRY)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=folder, check=True)
        packages = list(installed(folder))
        bundle = ["node_modules/.bin/esbuild", "entry.js", "--bundle", "--minify"]
        options = ["--format=iife", "--legal-comments=none", f"--banner:js={heading(packages)}"]
        done = subprocess.run(
            [*bundle, *options, "--log-level=warning"],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
    licences = listed(packages)
    # Both stand within a script of the page, and the licences within a comment of it.
    if any(end in done.stdout for end in ("</script", "<!--")) or "*/" in licences:
        raise SystemExit("the page's script would end before its end")
    (ASSETS / "vega.js").write_text(done.stdout, encoding="utf-8")
    (ASSETS / "vega-licences.txt").write_text(licences, encoding="utf-8")


def installed(folder: Path) -> Iterator[Package]:
    """Return what npm has installed for the libraries, in the order of its names."""
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    for place, package in locked["packages"].items():
        if place and not package.get("dev"):
            _, _, name = place.rpartition("node_modules/")
            yield Package(name, package["version"], _licence(folder / place))


def _licence(place: Path) -> str:
    files = [file for file in place.iterdir() if file.name.lower().startswith(LICENCE_FILES)]
    if not files:
        raise SystemExit(f"{place.name} has no licence in its package; look for it by hand")
    lines = min(files).read_text(encoding="utf-8").strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def heading(packages: list[Package]) -> str:
    """Return the first line of the JavaScript."""
    releases = {package.name: package.version for package in packages}
    libraries = ", ".join(f"{name} {releases[name]}" for name in LIBRARIES)
    return f"// {libraries}: made by docs/scripts/bundle_vega.py"


def listed(packages: list[Package]) -> str:
    """Return every licence once, below the packages that have it."""
    having: dict[str, list[str]] = {}
    for package in packages:
        having.setdefault(package.licence, []).append(f"{package.name} {package.version}")
    parts = [
        "vega.js is made of these packages of npm. Some carry parts of others within them, so all"
        "\nthat they depend on are named."
    ]
    for licence, names in having.items():
        parts.append("\n".join(["=" * 80, *dict.fromkeys(names), "-" * 80, licence]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
