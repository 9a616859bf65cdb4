import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bench.analyze.numbers import (
    in_seconds,
    milliseconds,
    number,
    percent,
    span,
    times,
    whole,
)
from keras_bench.analyze.stats import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.654321, "0.6543"),
        (12.3456, "12.35"),
        (63421.7, "63,420"),
        (99999.4, "1.000e5"),
        (43011473.45282, "4.301e7"),
        (-4020.0, "-4020"),
        (0.00012345, "0.0001234"),
        (0.0000123, "1.230e-5"),
        (math.inf, "inf"),
    ],
)
def test_a_figure_has_four_significant_digits(value, text):
    assert number(value) == text


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_no_figure_has_more_and_each_is_read_back_to_rounding(value):
    text = number(value).replace(",", "")
    mantissa = text.split("e")[0]
    digits = mantissa.replace(".", "").lstrip("0")
    assert len(digits.rstrip("0")) <= 4
    assert float(text) == pytest.approx(value, rel=5.1e-4)


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [
        (7, "", "7"),
        (9999, "", "9999"),
        (12_345, "", "12 k"),
        (43_011_473, "", "43 M"),
        (385_400_000, "B", "385 MB"),
        (9_999_999, "B", "10 MB"),
        (12_800_000_000, "B", "13 GB"),
    ],
)
def test_counts_and_bytes_are_in_whole_units_with_a_prefix(count, unit, text):
    assert whole(count, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0571234, "57.1"),
        (0.2404, "240"),
        (1.2345, "1234"),
        (0.00271828, "2.72"),
        (0.05, "50"),
        (43.011, "43,010"),
        (430_114.7, "4.301e8"),
    ],
)
def test_milliseconds_have_three_figures_and_beyond_100_are_whole(seconds, text):
    assert milliseconds(seconds) == text


def test_seconds_have_three_figures():
    assert [in_seconds(each) for each in (0.01234, 1.2345, 123.4)] == ["0.0123", "1.23", "123"]


def test_a_share_has_two_figures_and_more_above_100():
    assert [percent(each) for each in (0.0331, 0.5, 1.234, 4301.1)] == [
        "3.3%",
        "50%",
        "123%",
        "4.301e5%",
    ]


def test_which_side_of_one_an_interval_is_on_can_be_read():
    assert (times(Estimate(1.15, 1.04, 1.3)), span(Estimate(1.15, 1.04, 1.3))) == (
        "1.15",
        "1.04 to 1.30",
    )
    assert span(Estimate(1.3, 0.97, 1.7)) == "0.97 to 1.70"
    assert span(Estimate(1.004, 1.001, 1.0049)) == "1.001 to 1.005"
    assert span(Estimate(1.0001, 1.00002, 1.0002)) == "1.00002 to 1.00020"


def test_a_ratio_below_1_has_two_decimals_at_the_least():
    assert (times(Estimate(0.476)), times(Estimate(0.476, 0.3, 0.7))) == ("0.48", "0.48")


def test_no_end_of_a_ratio_is_written_as_0():
    assert span(Estimate(1.2, 0.0041, 123.4)) == "0.004 to 123.4"


def test_a_ratio_has_as_many_decimals_as_its_interval_lets_stand():
    wide, narrow = Estimate(4.20, 4.00, 4.40), Estimate(1.50, 1.45, 1.55)
    assert (times(wide), span(wide)) == ("4.2", "4.0 to 4.4")
    assert (times(narrow), span(narrow)) == ("1.50", "1.45 to 1.55")
    huge = Estimate(43011473.45282, 43011473.1, 43011474.2)
    assert (times(huge), span(huge)) == ("4.301e7", "4.301e7 to 4.301e7")
