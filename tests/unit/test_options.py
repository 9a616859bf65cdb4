"""What the values of options may be."""

import click
import pytest
from click.testing import CliRunner

from keras_bench.options import environment_options, parse_loops, parse_parameters
from keras_bench.records import EnvironmentChoice


def test_what_is_said_of_environments_is_one_choice(tmp_path):
    chosen = []

    @click.command()
    @environment_options
    def command(environments: EnvironmentChoice) -> None:
        chosen.append(environments)

    options = ["--env=jax=keras==3.14.1", "--python=3.13", f"--cache={tmp_path}", "--no-make"]
    for arguments in ([], options):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert chosen == [
        EnvironmentChoice(),
        EnvironmentChoice((("jax", "keras==3.14.1"),), False, tmp_path, "3.13"),
    ]


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


def loops(*values: str):
    return parse_loops(click.Context(click.Command("run")), click.Option(["--loop"]), values)


def test_a_loop_is_taken_once_and_one_step_per_execution_is_fit():
    assert loops("fused", "fit:32", "fit:1", "fit", "fit:032", "bare") == (
        "fused", "fit:32", "fit", "bare",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", ["fit:0", "fit:", "fit:x", "fit:-1", "fit:²", "fussed", "batch:2"]
)
def test_what_is_no_loop_is_refused_with_those_that_are(value: str):
    with pytest.raises(click.BadParameter, match="there are fit, batch, fused, bare"):
        loops(value)
