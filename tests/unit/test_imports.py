"""Imports run one way, as CONTRIBUTING.md says: by the source alone, nothing is imported."""

import ast
import sys
from itertools import chain
from pathlib import Path

import pytest

import keras_bench

PACKAGE = Path(keras_bench.__file__).parent
FRAMEWORKS = {"keras", "jax", "jaxlib", "openvino", "tensorflow", "torch"}

#: What the modules of a folder may not import from the suite.
FORBIDDEN = {
    "environments": ("measure", "analyze", "parity", "report", "store", "commands", "cli"),
    "analyze": ("environments", "measure", "report", "store", "commands", "cli"),
    "measure": ("analyze", "report", "store", "commands", "cli"),
    "parity": ("analyze", "environments", "measure", "report", "store", "commands", "cli"),
    "report": ("environments", "measure", "store", "commands", "cli"),
    "store": ("environments", "measure", "commands", "cli"),
    "commands": ("cli",),
    # A user's own program has nothing but these.
    "loops": (
        "errors",
        "worker",
        "parity",
        "environments",
        "analyze",
        "measure",
        "report",
        "store",
        "commands",
    ),
}
#: All that a worker's environment is sure to hold, beside Keras and one framework.
FOR_WORKERS = (
    "fit_values",
    "records",
    "loops",
    "parity.places",
    "parity.blueprint",
    "parity.precisions",
    "worker",
)


def module_name(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree):
    """Return the modules that a source imports, those within functions too.

    What is taken from a package may be a module of its own: "from keras_bench.store import runs".
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are used nowhere"
            inner = {f"{node.module}.{each.name}" for each in node.names}
            modules = {each for each in inner if each in MODULES}
            found |= modules
            if len(modules) < len(inner):
                found.add(node.module)
    return found


SOURCES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}
MODULES = set(SOURCES)
IMPORTS = {name: imports_of(ast.parse(file.read_text())) for name, file in SOURCES.items()}


def is_within(module, packages):
    return any(module == each or module.startswith(f"{each}.") for each in packages)


def of_folder(folder):
    return {
        name: found for name, found in IMPORTS.items() if is_within(name, [f"keras_bench.{folder}"])
    }


def test_the_sources_were_found():
    assert set(FORBIDDEN) <= {name.split(".")[1] for name in MODULES if "." in name}
    assert "keras_bench.worker.protocol" in IMPORTS["keras_bench.measure.process"]
    assert "keras_bench.store.runs" in IMPORTS["keras_bench.commands.run"]
    # One that stands within a function.
    assert "keras_bench.commands.gate" in IMPORTS["keras_bench.cli"]


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_nothing_that_is_built_on_it(folder):
    forbidden = [f"keras_bench.{each}" for each in FORBIDDEN[folder]]
    wrong = {
        name: sorted(each for each in found if is_within(each, forbidden))
        for name, found in of_folder(folder).items()
    }
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("name", ["records", "errors"])
def test_the_words_of_the_project_need_nothing_else_of_it(name):
    assert [
        each for each in IMPORTS[f"keras_bench.{name}"] if is_within(each, ["keras_bench"])
    ] == []


def test_only_workers_and_loops_import_frameworks():
    assert {
        name
        for name, found in IMPORTS.items()
        if any(is_within(each, FRAMEWORKS) for each in found)
    } <= {*of_folder("worker"), *of_folder("loops")}
    # They do so by a name that is only known then, too.
    assert any("keras" in found for found in of_folder("worker").values())


def test_private_modules_of_keras_are_named_in_one_module():
    naming = [name for name, file in SOURCES.items() if "keras.src" in file.read_text()]
    assert naming == ["keras_bench.loops.keras_private"]


def test_a_worker_needs_nothing_of_the_suite_but_what_its_environment_holds():
    allowed = [f"keras_bench.{each}" for each in FOR_WORKERS]
    reached = set(chain(of_folder("worker"), *of_folder("worker").values()))
    reached = {each for each in reached if is_within(each, ["keras_bench"])}
    assert [each for each in sorted(reached) if not is_within(each, allowed)] == []
    # Nor does anything of that, and of other packages only NumPy.
    for name in reached & MODULES:
        for each in IMPORTS[name]:
            known = is_within(each, allowed) or is_within(each, FRAMEWORKS | {"numpy"})
            assert known or is_standard(each), f"{name} imports {each}"


def test_of_the_worker_all_others_import_the_protocol_alone():
    for name, found in IMPORTS.items():
        if not is_within(name, ["keras_bench.worker"]):
            inner = {each for each in found if is_within(each, ["keras_bench.worker"])}
            assert inner <= {"keras_bench.worker.protocol"}, name


def is_standard(module):
    return module.partition(".")[0] in sys.stdlib_module_names
