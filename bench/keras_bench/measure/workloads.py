"""Finds workloads by name, file, module or tag. Nothing is imported from them here."""

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import keras_bench
from keras_bench.environments.specs import NoRequirement, parse_addition
from keras_bench.errors import UsageError, WorkloadError
from keras_bench.measure.workload_file import WorkloadFile, read_workload_file
from keras_bench.records import Parameter, Selection
from keras_bench.worker.protocol import Workload

DEFAULT_WORKLOADS = ("dense_3_5_2", "dense_1_16_32_2")

#: The tag that every workload of the suite has without saying so.
EVERY = "all"

#: The name of a function that makes a workload's model.
BUILDER = "build"


def models_folder() -> Path:
    """Return the folder of the workloads that come with the suite.

    A wheel carries it inside the package; a checkout has it at its top.
    """
    package = Path(keras_bench.__file__).parent
    carried = package / "models"
    return carried if carried.is_dir() else package.parents[1] / "models"


def template() -> Path:
    """Return the file that a user's own workload starts from."""
    return models_folder() / "template" / "my_model.py"


def shipped() -> dict[str, Workload]:
    """Return the workloads that come with the suite, by name."""
    return _workloads_in(models_folder())


def summary(workload: Workload) -> str:
    """Return the first line of the docstring of a workload's file, or an empty text."""
    return _read(Path(workload.module)).summary


def tags(workload: Workload) -> tuple[str, ...]:
    """Return what a workload's file says in its constant TAGS, and the tag of all."""
    return (*_read(Path(workload.module)).tags, EVERY)


def find(selection: Selection, folder: Path | None = None) -> tuple[Workload, ...]:
    """Return the workloads that the user wants: an own one for each value of a parameter.

    With a folder, names and files are looked for there, and not among those of the suite.

    Raises:
        UsageError: a name or a tag is unknown, or two different files bear the same name.
        WorkloadError: a file doesn't exist, can't be parsed, or lacks the function.
    """
    known = shipped() if folder is None else _workloads_in(folder)
    named = selection.names or (() if selection.tags else DEFAULT_WORKLOADS)
    tagged = (_tagged(tag, known) for tag in selection.tags)
    by_name = (_named(text, known, folder) for text in named)
    found: dict[str, Workload] = {}
    for workload in itertools.chain(*tagged, *by_name):
        if found.setdefault(workload.name, workload) != workload:
            raise UsageError(
                workload.module,
                f"another workload of this run is named {workload.name} too",
                "rename one of the files",
            )
    return tuple(
        each for workload in found.values() for each in _variants(workload, selection.parameters)
    )


def as_it_was(workload: Workload, top: Path, unpacked: Path, revision: str) -> Workload:
    """Return a workload with its file as it was, if that lies in the repository at `top`.

    `unpacked` is the folder with the repository's files at the revision.

    Raises:
        WorkloadError: the file wasn't there, couldn't be parsed, or lacked the function.
    """
    folder = Path(workload.folder)
    if not folder.is_relative_to(top):
        return workload
    before = unpacked / folder.relative_to(top)
    if not workload.is_file:
        return replace(workload, folder=str(before))
    file = before / Path(workload.module).name
    if not file.is_file():
        reason = f"isn't there at {revision}"
        raise WorkloadError(Path(workload.module).name, reason, "name a revision that has it")
    _in_file(file, workload.builder, f"{file.name} at {revision}")
    return replace(workload, module=str(file), folder=str(before))


def requirements(chosen: Iterable[Workload]) -> tuple[str | Path, ...]:
    """Return what the files of workloads ask for in their constant REQUIREMENTS, each once.

    The folder of a project is one beside the file.

    Raises:
        WorkloadError: a text asks for nothing that can be installed.
    """
    found = []
    for file in dict.fromkeys(Path(each.module) for each in chosen if each.is_file):
        for text in _read(file).requirements:
            try:
                found.append(parse_addition(text, file.parent))
            except NoRequirement as error:
                reason = f"of REQUIREMENTS, {text!r} {error}"
                raise WorkloadError(file.name, reason, f"fix {file.name}") from None
    return tuple(dict.fromkeys(found))


def _workloads_in(folder: Path) -> dict[str, Workload]:
    return {
        file.stem: _workload(file, BUILDER)
        for file in sorted(folder.resolve().glob("*.py"))
        if BUILDER in _read(file).names
    }


def _tagged(tag: str, known: Mapping[str, Workload]) -> list[Workload]:
    by_workload = {workload: tags(workload) for workload in known.values()}
    chosen = [workload for workload, its in by_workload.items() if tag in its]
    if not chosen:
        all_tags = sorted({each for its in by_workload.values() for each in its})
        raise UsageError(tag, "no workload has this tag", _hint(tag, all_tags))
    return chosen


def _named(text: str, known: Mapping[str, Workload], folder: Path | None) -> list[Workload]:
    """Return what a text stands for: a file, its function, a module's, or a name of the suite."""
    if text in known:
        return [known[text]]
    place, _, builder = text.rpartition(":") if re.search(r":\w+$", text) else (text, "", "")
    if place.endswith(".py") or "/" in place:
        return _in_file(_file(place, folder), builder, place)
    if builder:
        return [Workload(text, place, str(Path.cwd() if folder is None else folder), builder)]
    if "." in text:
        remedy = f"name a function of it, {text}:{BUILDER}"
        raise UsageError(text, "no workload has this name, and a module has many", remedy)
    raise UsageError(text, "no workload has this name", _hint(text, list(known)))


def _file(text: str, folder: Path | None) -> Path:
    if folder is not None and Path(text).is_absolute():
        raise UsageError(text, f"lies outside of {folder}", "name it relative to that folder")
    file = Path(text) if folder is None else folder / text
    if not file.is_file():
        there = "is no regular file" if file.exists() else "doesn't exist"
        reason = "is a directory" if file.is_dir() else there
        named = text if folder is None else str(file)
        raise WorkloadError(named, reason, "name a Python file with build()")
    if file.suffix != ".py":
        raise WorkloadError(text, "isn't a Python file", "name a file that ends in .py")
    return Path(os.path.realpath(file))


def _in_file(file: Path, builder: str, text: str) -> list[Workload]:
    """Return the workload of a function or, without one, those of the file.

    They are its build() or, where it has none, each build_...() that it defines. `text` is what
    the user calls the file.
    """
    found = _read(file)
    if found.fault:
        raise WorkloadError(text, found.fault, f"fix {text}")
    several = [name for name in found.functions if name.startswith(f"{BUILDER}_")]
    if builder or BUILDER in found.names or not several:
        several = [builder or BUILDER]
    for name in several:
        if not found.may_have(name):
            near = get_close_matches(name, found.functions, n=1)
            remedy = f"name one that it has, {text}:{near[0]}" if near else f"define {name}()"
            raise WorkloadError(text, f"has no function {name}()", remedy)
    return [_workload(file, name) for name in several]


def _workload(file: Path, builder: str) -> Workload:
    name = file.stem if builder == BUILDER else f"{file.stem}:{builder}"
    return Workload(name, str(file), str(file.parent), builder)


def _variants(
    workload: Workload, parameters: tuple[tuple[str, tuple[Parameter, ...]], ...]
) -> Iterable[Workload]:
    if not parameters:
        return [workload]
    names = [name for name, _ in parameters]
    variants = []
    for values in itertools.product(*(values for _, values in parameters)):
        chosen = tuple(zip(names, values, strict=True))
        text = ", ".join(f"{name}={value}" for name, value in chosen)
        variants.append(replace(workload, name=f"{workload.name}({text})", parameters=chosen))
    return variants


def _read(file: Path) -> WorkloadFile:
    try:
        return read_workload_file(file.read_bytes())
    except OSError as error:
        return WorkloadFile(fault=f"can't be read ({(error.strerror or str(error)).lower()})")


def _hint(text: str, known: list[str]) -> str:
    near = get_close_matches(text, known, n=3, cutoff=0.4)
    return (
        f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known) or 'none'}"
    )
