"""A table of texts, decided once: a terminal, Markdown and a page each draw it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Of columns with a `rank`, a narrow terminal leaves out those of the highest first; those
    without one it never leaves out.
    """

    title: str
    numeric: bool = False
    rank: int = 0


@dataclass(frozen=True)
class TextTable:
    """Heads, and a row of texts each; `styles` has one of the terminal's styles for every row."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[str]]
    styles: Sequence[str] = ()
    title: str = ""
    caption: str = ""

    @classmethod
    def of(
        cls, titles: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]
    ) -> "TextTable":
        """Return a table of these columns, none of which is left out."""
        heads = [Head(*each) for each in zip(titles, numeric, strict=True)]
        return cls(heads, rows)

    @property
    def titles(self) -> list[str]:
        """The titles of its columns."""
        return [head.title for head in self.heads]
