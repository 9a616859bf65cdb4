"""What the values of options may be."""

import click
import pytest

from bench.options import parse_parameters


def parsed(*values: str):
    command = click.Command("run")
    return parse_parameters(click.Context(command), click.Option(["--set"]), values)


def test_a_value_is_a_number_a_constant_or_else_text():
    assert parsed("units=8,1.5,None,adam", "deep=True") == (
        ("units", (8, 1.5, None, "adam")),
        ("deep", (True,)),
    )


def test_the_same_value_twice_counts_once():
    assert parsed("units=8,4,8,adam,adam") == (("units", (8, 4, "adam")),)


@pytest.mark.parametrize("values", [(1, True, 1.0), (False, 0, 0.0), (True, 1)])
def test_equal_values_of_different_types_are_different(values):
    ((_, found),) = parsed(f"x={','.join(map(str, values))}")
    assert [(type(each), each) for each in found] == [(type(each), each) for each in values]


@pytest.mark.parametrize("text", ["{[]:1}", "[8]", "1+", "(" * 1000, "-" * 100_000 + "1"])
def test_what_is_no_such_value_is_text(text: str):
    assert parsed(f"x={text}") == (("x", (text,)),)


@pytest.mark.parametrize("value", ["x=1,,2", "x=,1", "x=1,"])
def test_an_empty_value_is_refused(value: str):
    with pytest.raises(click.BadParameter, match="has an empty value"):
        parsed(value)
