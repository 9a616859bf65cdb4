"""The parts of a page that are made from stored results.

A part stands between "<!-- measured: NAME -->" and "<!-- end -->".
"""

import re
from collections.abc import Mapping

PART = re.compile(r"(<!-- measured: ([\w ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def with_parts(page: str, texts: Mapping[str, str]) -> str:
    """Return the page with these texts as its parts, by their names; others stay as they are."""

    def filled(part: re.Match[str]) -> str:
        text = f"{texts[part[2]]}\n" if part[2] in texts else part[3]
        return f"{part[1]}{text}{part[4]}"

    return PART.sub(filled, page)
