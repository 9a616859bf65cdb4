"""Texts of others, so that they can't command a terminal or break a file."""

import re

#: Control characters but for tab and line feed, those that turn the direction of writing, and
#: halves of characters.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

#: What a spreadsheet takes for the beginning of a formula.
FORMULA = re.compile(r"[=+\-@\t\r]")


def visible(text: str) -> str:
    """Return a text whose control characters are seen, as escapes, instead of obeyed."""
    return INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def in_a_line(text: str) -> str:
    """Return the same without line breaks."""
    return visible(" ".join(text.splitlines()))


def no_formula(text: str) -> str:
    """Return a text that a spreadsheet shows as it is, with an apostrophe before it if need be."""
    return f"'{text}" if FORMULA.match(text) else text


def as_it_was(text: str) -> str:
    """Return what `no_formula` was given."""
    return text[1:] if text[:1] == "'" and FORMULA.match(text[1:]) else text
