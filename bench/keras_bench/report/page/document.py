"""Writes sections as one HTML page that needs nothing but itself.

The plots are drawn by Vega in the browser, as SVG whose marks a screen reader can tell; its
JavaScript stands in the page, so that it works from disk and without a network, which the page's
own policy forbids it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from keras_bench import __version__
from keras_bench.report.page import vega
from keras_bench.report.page.content import Figure, Grid, Lines, Section
from keras_bench.report.page.marks import CONFIG, DATA


def render(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the page. Every text in it is escaped, for names come from users' files."""
    environment = Environment(
        loader=PackageLoader("keras_bench.report.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = _Page()
    body = [page.drawn(section) for section in sections]
    return environment.get_template("page.html.j2").render(
        title=title,
        subtitle=subtitle,
        sections=body,
        plots=page.plots,
        records=page.records,
        config=CONFIG,
        data=DATA,
        version=__version__,
        vega=vega.script(),
        mismatch=vega.mismatch(),
    )


class _Page:
    """What a page's blocks are numbered by, and what its script reads of them."""

    def __init__(self) -> None:
        self.plots: dict[str, Mapping[str, Any]] = {}
        self.records: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._sections = 0

    def drawn(self, section: Section) -> dict[str, Any]:
        """Return a section for the template; those within it come after it."""
        self._sections += 1
        return {
            "id": f"section-{self._sections}",
            "title": section.title,
            "blocks": [self._block(block) for block in section.blocks],
            "sections": [self.drawn(inner) for inner in section.sections],
        }

    def _block(self, block: Lines | Grid | Figure) -> dict[str, Any]:
        if isinstance(block, Lines):
            return {"kind": "lines", "lines": block}
        name = f"data-{len(self.records) + 1}"
        self.records[name] = block.records
        if isinstance(block, Grid):
            return {"kind": "grid", "grid": block, "name": name}
        self.plots[name] = {**block.spec, "description": block.description}
        return {"kind": "figure", "figure": block, "name": name}
