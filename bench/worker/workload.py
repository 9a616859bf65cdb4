"""Loads a workload and takes its parts, with a refusal for every fault of the user's."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.worker.protocol import Refusal, Workload, one_line

#: Arguments of `Model.fit` that the suite sets itself.
RESERVED_FIT_SETTINGS = ("x", "y", "verbose", "callbacks", "initial_epoch")


@dataclass(frozen=True)
class Parts:
    """A workload's functions, with what was set for them, and its arguments of `Model.fit`."""

    build: Callable[[], Any]
    data: Callable[[int], Any]
    fit: Mapping[str, Any]


def load_workload(workload: Workload) -> Parts:
    """Import the workload, a file as if it were run by itself; Keras is imported already."""
    # What lies beside it can be imported; what is installed comes first, so that a workload in a
    # package's own checkout trains with the package of the environment.
    sys.path.append(workload.folder)
    try:
        module = _import_file(workload.module) if workload.is_file else _import(workload.module)
    except SyntaxError as error:
        raise Refusal("workload", f"line {error.lineno} has a syntax error: {error.msg}") from error
    except Exception as error:
        raise Refusal("workload", f"breaks at import with {one_line(error)}") from error
    # What belongs to build_small is data_small and FIT_SMALL, or else data and FIT.
    suffix = workload.builder.removeprefix("build")
    build = _function(module, workload.builder)
    data = _function(module, f"data{suffix}" if hasattr(module, f"data{suffix}") else "data")
    settings = _fit_settings(module, f"FIT{suffix.upper()}")
    set_anew = dict(workload.parameters)
    fit, build_arguments, data_arguments = (
        {name: value for name, value in set_anew.items() if name in known}
        for known in (_fit_arguments(), _arguments(build), _arguments(data))
    )
    for name in set_anew:
        if not any(name in taken for taken in (fit, build_arguments, data_arguments)):
            reason = f"has no parameter {name!r}: not of build() or data(), and not of Model.fit"
            raise Refusal("workload", reason)
    return Parts(
        partial(build, **build_arguments), partial(data, **data_arguments), _checked(settings | fit)
    )


def make_data(parts: Parts, seed: int) -> tuple[Any, Any]:
    """Return the workload's arrays x and y."""
    try:
        arrays = parts.data(seed)
    except Exception as error:
        raise Refusal("workload", f"data({seed}) raises {one_line(error)}") from error
    if not isinstance(arrays, tuple) or len(arrays) != 2:
        raise Refusal("workload", "data() doesn't return a pair of arrays (x, y)")
    x, y = arrays
    for name, array in (("x", x), ("y", y)):
        if not getattr(array, "shape", ()):
            raise Refusal("workload", f"data() returns {name} as {type(array).__name__}, no array")
    if len(x) != len(y):
        raise Refusal("workload", f"data() returns {len(x)} x and {len(y)} y")
    if len(x) == 0:
        raise Refusal("workload", "data() returns no examples")
    return x, y


def build_model(parts: Parts, keras: Any) -> Any:
    """Return the workload's compiled model."""
    try:
        model = parts.build()
    except Exception as error:
        raise Refusal("workload", f"build() raises {one_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise Refusal("workload", f"build() returns a {type(model).__name__}, no keras.Model")
    if not model.compiled:
        raise Refusal("workload", "build() returns a model that isn't compiled")
    return model


def _import_file(file: str) -> ModuleType:
    name = Path(file).stem
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Keras and pickle look a custom class up by the name of its module.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _import(name: str) -> ModuleType:
    return importlib.import_module(name)


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        raise Refusal("workload", f"has no function {name}()")
    return found  # type: ignore[no-any-return]


def _arguments(function: Callable[..., Any]) -> frozenset[str]:
    """Return what can be given to a function by name."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.items()
    return frozenset(name for name, parameter in parameters if parameter.kind in by_name)


def _fit_arguments() -> frozenset[str]:
    return _arguments(sys.modules["keras"].Model.fit) - {"self"}


def _fit_settings(module: ModuleType, name: str) -> dict[str, Any]:
    settings = getattr(module, name, getattr(module, "FIT", {}))
    if not isinstance(settings, Mapping):
        raise Refusal("workload", f"FIT is a {type(settings).__name__} instead of a dict")
    return dict(settings)


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    for name in RESERVED_FIT_SETTINGS:
        if name in settings:
            raise Refusal("workload", f"FIT sets {name!r}, which the suite sets itself")
    epochs = settings.get("epochs", 1)
    if not isinstance(epochs, int) or epochs < 1:
        raise Refusal("workload", f"FIT has epochs={epochs!r} instead of a whole number above 0")
    return settings
