"""What a workload's file says of itself, read from its text: nothing of it is run."""

import ast
import platform
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keras_bench.fit_values import fault_of

#: Statements whose blocks belong to the module, in the names of their fields.
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

#: What makes names that the text doesn't show.
HIDDEN_NAMES = ("exec", "globals", "locals", "setattr", "vars")


@dataclass(frozen=True)
class WorkloadFile:
    """What the text of a workload's file says.

    `fault` is why it can't be a workload, empty if nothing is wrong with it. `names` are what it
    defines, imports and assigns, `functions` those functions that it defines itself, in their
    order; `hides_names` tells whether it may have others, as after `from package import *`.
    """

    summary: str = ""
    tags: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    hides_names: bool = False
    fault: str = ""

    def may_have(self, name: str) -> bool:
        """Tell whether it may have something of this name."""
        return self.hides_names or name in self.names


def read_workload_file(source: bytes) -> WorkloadFile:
    """Return what a workload's file says of itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # They are for the worker, which runs the file.
            tree = ast.parse(source)
            compile(tree, "workload", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f"line {error.lineno}" if error.lineno else "it"
        version = ".".join(platform.python_version_tuple()[:2])
        return WorkloadFile(fault=f"{line} has a syntax error in Python {version}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return WorkloadFile(fault=f"can't be parsed ({error})")
    nodes = list(_statements(tree.body))
    requirements = _texts(tree, "REQUIREMENTS")
    if requirements is None:
        return WorkloadFile(fault='REQUIREMENTS is no list of texts, such as ["pandas<3"]')
    if fault := _fault_of_fit(tree):
        return WorkloadFile(fault=fault)
    names = frozenset(name for node in nodes for name in _names_of(node))
    functions = (node.name for node in nodes if isinstance(node, ast.FunctionDef))
    return WorkloadFile(
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        tags=_texts(tree, "TAGS") or (),
        requirements=requirements,
        functions=tuple(dict.fromkeys(functions)),
        names=names,
        hides_names="__getattr__" in names or any(map(_hides_names, ast.walk(tree))),
    )


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the statements of a module, those within "if", "try" and the like too."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in BLOCKS:
                yield from _statements(getattr(node, block, ()))


def _names_of(node: ast.AST) -> Iterator[str]:
    """Yield what a statement itself names: not what one within it does."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr | ast.withitem):
                yield from (
                    each.id
                    for each in ast.walk(child)
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )


def _hides_names(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in HIDDEN_NAMES
    )


def _fault_of_fit(tree: ast.Module) -> str:
    """Say what is wrong with an argument that FIT states literally, or nothing."""
    for constant, value in _assigned(tree, r"FIT(_.*)?"):
        if not isinstance(value, ast.Dict):
            continue
        for key, item in zip(value.keys, value.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                continue
            try:
                stated = ast.literal_eval(item)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue  # What is computed is the worker's to see.
            if fault := fault_of(key.value, stated):
                return f"{constant} has {fault}"
    return ""


def _assigned(tree: ast.Module, pattern: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of a module's constants that are wholly so, with what is assigned."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and re.fullmatch(pattern, target.id):
                yield target.id, node.value


def _texts(tree: ast.Module, name: str) -> tuple[str, ...] | None:
    """Return the texts that a constant lists, none where it isn't there, or None if it doesn't."""
    found: object = ()
    for _, value in _assigned(tree, re.escape(name)):
        try:
            found = ast.literal_eval(value)
        except ValueError:
            return None
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        return None
    return tuple(found)
