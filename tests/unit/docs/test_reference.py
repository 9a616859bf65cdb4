"""docs/reference/ says what the code says: options, exit codes, columns, workload files."""

import re
import runpy

import pytest
from click.testing import CliRunner
from project import PROJECT, linked_results

from keras_bench import errors
from keras_bench.analyze.comparison import tables
from keras_bench.cli import cli
from keras_bench.errors import BenchError
from keras_bench.report.columns import record
from keras_bench.store.runs import load

WRITER = runpy.run_path(str(PROJECT / "docs" / "scripts" / "reference_tables.py"))
REFERENCE = PROJECT / "docs" / "reference"
COMMANDS, EXIT_CODES, COLUMNS = (
    (REFERENCE / name).read_text(encoding="utf-8")
    for name in ("commands.md", "exit-codes.md", "columns.md")
)


@pytest.mark.parametrize("page", [COMMANDS, EXIT_CODES], ids=["commands", "exit codes"])
def test_its_tables_are_those_that_the_script_makes(page: str):
    assert WRITER["filled"](page) == page


def test_every_command_has_its_part():
    assert sorted(WRITER["parts"](COMMANDS)) == sorted([*cli.commands, "pytest"])


@pytest.mark.parametrize("command", list(cli.commands))
def test_every_option_that_the_help_names_has_a_row_and_a_meaning(command: str):
    help_text = CliRunner().invoke(cli, [command, "--help"]).output.partition("\nOptions:\n")[2]
    offered = set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z-]+)", help_text, re.MULTILINE))
    section = COMMANDS.partition(f"<!-- options: {command} -->")[2].partition("<!-- end -->")[0]
    rows = dict(re.findall(r"^\| `(?:-\w, )?(--[a-z-]+)[^`]*` \| (.*?) \|", section, re.MULTILINE))
    assert set(rows) == offered - {"--help"}
    assert all(rows.values())


def test_the_options_of_the_pytest_plugin_are_all_there(pytestconfig):
    section = COMMANDS.partition("<!-- options: pytest -->")[2]
    offered = {
        f"--{name.replace('_', '-')}"
        for name in vars(pytestconfig.option)
        if name.startswith("keras_bench")
    }
    assert offered == set(re.findall(r"^\| `(--keras-bench-[a-z-]+)", section, re.MULTILINE))


def test_the_nox_sessions_that_it_names_are_there():
    sessions = (PROJECT / "noxfile.py").read_text(encoding="utf-8")
    named = re.findall(r"^\| `nox -s (\w+)", COMMANDS, re.MULTILINE)
    assert len(named) > 5
    defined = re.findall(r'^(?:def |define_command\(\s*")(\w+)', sessions, re.MULTILINE)
    assert set(named) <= set(defined)


def test_every_exit_code_is_listed():
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, BenchError)
    }
    listed = list(map(int, re.findall(r"^\| (\d+) \|", EXIT_CODES, re.MULTILINE)))
    assert listed == sorted(codes | {0})


def test_every_column_of_the_tables_is_explained():
    (file,) = linked_results("README.md", "runs")
    row = tables(load(file))[0].rows[0]
    columns = {re.sub("_(low|high)$", "", column) for column in record(row, complete=True)}
    assert {column for column in columns if f"`{column}`" not in COLUMNS} == set()
