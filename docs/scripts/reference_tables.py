"""Writes the tables of docs/reference/ from the code: options and exit codes.

    python docs/scripts/reference_tables.py

commands.md has the usage, the help and the options of each command, and the options of the pytest
plugin; exit-codes.md has a row for each kind of error. They stand between "<!-- NAME -->" and
"<!-- end -->", and a test holds the pages to the code: after a change of an option, a help text or
an error, run this script.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from keras_bench import errors
from keras_bench.cli import cli
from keras_bench.errors import BenchError
from keras_bench.pytest_plugin import pytest_addoption

REFERENCE = Path(__file__).parents[1] / "reference"
COMMANDS = REFERENCE / "commands.md"
EXIT_CODES = REFERENCE / "exit-codes.md"

PART = re.compile(r"(<!-- (options|exit codes): ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

#: The part that belongs to pytest, and to no command.
PYTEST = "pytest"


def filled(page: str) -> str:
    """Return a page with its generated parts as the code has them."""
    return PART.sub(lambda part: f"{part[1]}{_made(part[2], part[3])}\n{part[4]}", page)


def parts(page: str) -> list[str]:
    """Return the names of a page's generated parts."""
    return [part[3] for part in PART.finditer(page)]


def _made(kind: str, name: str) -> str:
    if kind == "exit codes":
        return exit_codes()
    return of_pytest() if name == PYTEST else of_command(name, cli.commands[name])


def of_command(name: str, command: click.Command) -> str:
    """Return a command's usage, its help, and a table of its options."""
    context = click.Context(command, info_name=f"keras-bench {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = [each for each in command.params if isinstance(each, click.Option)]
    rows = [_row(option, context) for option in options]
    text = inspect.cleandoc(command.help or "")
    paragraphs = "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
    blocks = [f"```\n{usage}\n```", paragraphs]
    if rows:
        blocks.append(_table(["option", "meaning", "default"], rows))
    return "\n\n".join(blocks) + "\n"


def of_pytest() -> str:
    """Return a table of the options that the plugin adds to pytest."""
    recorded = _Recorder()
    pytest_addoption(recorded)  # type: ignore[arg-type]
    rows: list[list[str]] = []
    for flag, settings in recorded.options:
        meaning, default = _split(settings["help"])
        rows.append([_code(f"{flag} {settings['metavar']}"), meaning, default])
    return _table(["option", "meaning", "default"], rows) + "\n"


def exit_codes() -> str:
    """Return a table of what every exit code means."""
    kinds = {
        kind.exit_code: inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, BenchError)
        and "exit_code" in vars(kind)
        and kind is not BenchError
    }
    kinds[0] = "Success. Verdicts may be undecided."
    kinds[BenchError.exit_code] = "A fault of keras-bench: please report the output of `--debug`."
    rows = [[str(code), " ".join(text.split())] for code, text in sorted(kinds.items())]
    return _table(["code", "meaning"], rows) + "\n"


class _Recorder:
    """Stands in for pytest's parser, and keeps the options that are added to it."""

    def __init__(self) -> None:
        self.options: list[tuple[str, Mapping[str, Any]]] = []

    def getgroup(self, name: str) -> "_Recorder":
        return self

    def addoption(self, flag: str, **settings: Any) -> None:
        self.options.append((flag, settings))


def _row(option: click.Option, context: click.Context) -> list[str]:
    flags = ", ".join(sorted(option.opts, key=len))
    metavar = "" if option.is_flag else option.make_metavar(context)
    meaning, default = _split(option.help or "")
    if option.required:
        default = "required"
    elif option.show_default:
        default = _plain(option.default)
    return [_code(f"{flags} {metavar.removeprefix('[').removesuffix(']')}"), meaning, default]


def _split(text: str) -> tuple[str, str]:
    """Take a help text apart into its sentence and the default that it names."""
    meaning, _, default = " ".join(text.split()).partition(" [default: ")
    return meaning, default.removesuffix("]")


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _code(text: str) -> str:
    return f"`{text.strip()}`"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def lines() -> Iterator[Sequence[str]]:
        yield titles
        yield ["---"] * len(titles)
        yield from rows

    # A bar ends a cell, in code too.
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines())
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def main() -> None:
    """Write the pages."""
    for page in (COMMANDS, EXIT_CODES):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
