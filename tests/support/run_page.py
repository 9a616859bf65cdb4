"""Runs the examples of a Markdown page: `python run_page.py PAGE.md`; exits with 1 where one fails.

It needs nothing but the standard library, because an environment of a backend holds no pytest.
"""

import doctest
import re
import sys
from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[-+]?\d+)?")


class ToRounding(doctest.OutputChecker):
    """Compares texts, and the numbers in them to the last digit that the page shows.

    A decimal may be off by one in that digit, since a value next to the middle rounds to either
    side. Whole numbers are counts and must be the same. Spaces make no difference.
    """

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if NUMBER.sub("0", want).split() != NUMBER.sub("0", got).split():
            return False
        pairs = zip(NUMBER.findall(want), NUMBER.findall(got), strict=True)
        return all(abs(float(a) - float(b)) <= 1.001 * last_digit(a) for a, b in pairs)


def last_digit(number: str) -> float:
    """Return what one is in the last digit of a decimal, and 0 for a whole number."""
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0


def run(page: Path) -> doctest.TestResults:
    """Run a page's examples in their order, as one session."""
    # Blank lines in place of the fences: an output ends there, and the lines keep their numbers.
    text = re.sub(r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    return doctest.DocTestRunner(ToRounding()).run(examples)


if __name__ == "__main__":
    results = run(Path(sys.argv[1]))
    print(f"{results.attempted} examples, {results.failed} failed")
    sys.exit(bool(results.failed))
