"""The parts of a page that are made from stored results.

A part stands between "<!-- measured: NAME -->" and "<!-- end -->".
"""

import re
from collections.abc import Mapping

PART = re.compile(r"(<!-- measured: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_parts(page: str, texts: Mapping[str, str]) -> str:
    """Return the page with these texts as its parts, by their names; KeyError for one without."""
    return PART.sub(lambda part: f"{part[1]}{texts[part[2]]}\n{part[3]}", page)
