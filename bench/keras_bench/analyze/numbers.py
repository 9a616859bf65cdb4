"""How numbers are written for people: with four significant digits at most."""

import math

from keras_bench.analyze.stats import Estimate

#: The most significant digits that a figure is written with.
SIGNIFICANT = 4

#: Beyond these, a figure is written with a power of ten.
LARGEST, SMALLEST = 99_999, 1e-4

#: The prefixes of thousands.
PREFIXES = ("", "k", "M", "G", "T", "P", "E")

#: A whole number below this needs no larger prefix.
WHOLE = 10_000


def number(value: float, digits: int = SIGNIFICANT) -> str:
    """Write a figure with so many significant digits: "0.1234", "63,420", "4.301e7"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    if not SMALLEST <= abs(rounded) <= LARGEST:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:{',' if abs(rounded) >= WHOLE else ''}.{places}f}"


def whole(count: int, unit: str = "") -> str:
    """Write a count, or bytes, in whole units with a prefix: "1234", "43 M", "1536 MB"."""
    value, place = float(count), 0
    while round(value) >= WHOLE and place < len(PREFIXES) - 1:
        value, place = value / 1000, place + 1
    prefixed = f"{PREFIXES[place]}{unit}"
    return f"{round(value)} {prefixed}" if prefixed else f"{round(value)}"


def milliseconds(seconds: float) -> str:
    """Write seconds as milliseconds, with three figures below 100 and as whole ones beyond."""
    value = seconds * 1e3
    if value >= WHOLE or value < SMALLEST:
        return number(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def in_seconds(seconds: float) -> str:
    """Write a time in seconds with three figures."""
    return number(seconds, 3)


def percent(share: float) -> str:
    """Write a share as a percentage with two figures, more where it is above 100."""
    value = 100 * float(f"{share:.2g}" if share < 1 else f"{share:.2f}")
    return f"{number(value) if value > LARGEST else f'{value:g}'}%"


def times(estimate: Estimate) -> str:
    """Write a ratio with as many decimals as its interval lets stand."""
    return _ratio(estimate.value, _decimals(estimate))


def span(estimate: Estimate) -> str:
    """Write a ratio's interval as "4.0 to 4.4"."""
    assert estimate.low is not None
    assert estimate.high is not None
    places = _decimals(estimate)
    return f"{_ratio(estimate.low, places)} to {_ratio(estimate.high, places)}"


def ratio_text(estimate: Estimate) -> str:
    """Write a ratio with its interval, where it has one: "4.2 (4.0 to 4.4)"."""
    return times(estimate) if estimate.low is None else f"{times(estimate)} ({span(estimate)})"


def _ratio(value: float, places: int) -> str:
    plain = f"{value:.{places}f}"
    # Further digits than four are there to tell a ratio from 1, and it has them beside 1 alone.
    beside_one = 0.9 < value < 1.1
    return plain if beside_one or len(plain.strip("-0.")) <= SIGNIFICANT else number(value)


def _decimals(estimate: Estimate) -> int:
    """Return how many decimals show half of the interval's width, and on which side of 1 it is.

    Below 1 they are two at the least: 0.5 may be a half, or nearer to 0.45.
    """
    if estimate.low is None or estimate.high is None:
        return 1 if estimate.value >= 1 else 2
    width = estimate.high - estimate.low
    least = 1 if estimate.low >= 1 else 2
    places = max(least, min(3, math.ceil(-math.log10(width / 2)))) if width > 0 else 2
    ends = [end for end in (estimate.low, estimate.high) if end != 1]
    # An end beside 1 must not be written as 1: which side it is on is the verdict. Nor is any 0.
    while places < 5 and any(round(end, places) in (0, 1) for end in ends):
        places += 1
    return places
