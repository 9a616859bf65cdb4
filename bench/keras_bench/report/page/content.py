"""What a page is made of. Nothing here knows how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keras_bench.report.text_table import TextTable

#: Bare figures by name, as they are downloaded: a dictionary per row.
Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Lines:
    """Sentences, one a line: "answer" is what the page is for, "warning" must not be missed."""

    lines: Sequence[str]
    kind: str = "note"


@dataclass(frozen=True)
class Grid:
    """A table of texts, and the figures behind it."""

    table: TextTable
    records: Records


@dataclass(frozen=True)
class Figure:
    """A plot as a Vega-Lite specification, which takes `records` by the name of `data`.

    `description` is what a screen reader says of it, and `note` stands below it.
    """

    description: str
    spec: Mapping[str, Any]
    records: Records
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, what stands below it, and the sections within."""

    title: str
    blocks: Sequence[Lines | Grid | Figure]
    sections: Sequence["Section"] = ()
