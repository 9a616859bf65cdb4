"""Loads a workload and takes its parts, with a refusal for every fault of the user's."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_bench.worker.fit_settings import (
    arguments_of,
    fit_arguments,
    of_any_length,
    settings_of_file,
    settings_of_option,
)
from keras_bench.worker.protocol import Refusal, Workload
from keras_bench.worker.refusals import refusal


@dataclass(frozen=True)
class Parts:
    """A workload's functions, with what was set for them, and its arguments of `Model.fit`."""

    build: Callable[[], Any]
    data: partial[Any] | None
    """Takes the seed; None where the workload has no data of its own."""
    fit: Mapping[str, Any]
    """Without `verbose`; `callbacks`, where there are any, is a list of the instances."""


def load_workload(workload: Workload) -> Parts:
    """Import the workload, a file as if it were run by itself; Keras is imported already."""
    # What lies beside it can be imported; what is installed comes first, so that a workload in a
    # package's own checkout trains with the package of the environment.
    sys.path.append(workload.folder)
    try:
        module = _import_file(workload.module) if workload.is_file else _import(workload.module)
    except Refusal:
        raise
    except SyntaxError as error:
        raise Refusal("workload", f"line {error.lineno} has a syntax error: {error.msg}") from error
    except Exception as error:
        raise refusal("breaks at import with", error) from error
    # What belongs to build_small is data_small and FIT_SMALL, or else data and FIT.
    suffix = workload.builder.removeprefix("build")
    build = _function(module, workload.builder)
    own = f"data{suffix}" if hasattr(module, f"data{suffix}") else "data"
    data = _function(module, own) if hasattr(module, own) else None
    source, make_settings = _settings_maker(module, f"FIT{suffix.upper()}")
    set_anew = dict(workload.parameters)
    of_data = arguments_of(data) if data else ()
    fit, build_arguments, data_arguments, settings_arguments = taken = tuple(
        {name: value for name, value in set_anew.items() if name in known}
        for known in (
            fit_arguments(), arguments_of(build), of_data[1:], arguments_of(make_settings)
        )
    )  # fmt: skip
    for name in set_anew:
        is_taken = any(name in each for each in taken)
        if name in of_data[:1] or (name == "seed" and not is_taken):
            raise Refusal(
                "workload", f"--set sets {name!r}, which is the seed", "use --seed instead"
            )
        if not is_taken:
            reason = f"has no parameter {name!r}: not of build(), data() or FIT(), nor of Model.fit"
            raise Refusal("workload", reason, "give --set the name of one")
    settings = settings_of_file(source, partial(make_settings, **settings_arguments))
    return Parts(
        partial(build, **build_arguments),
        partial(data, **data_arguments) if data else None,
        of_any_length(settings | settings_of_option(fit)),
    )


def build_model(parts: Parts, keras: Any) -> Any:
    """Return the workload's compiled model."""
    try:
        model = parts.build()
    except Exception as error:
        raise refusal("build() raises", error) from error
    if not isinstance(model, keras.Model):
        raise Refusal("workload", f"build() returns a {type(model).__name__}, no keras.Model")
    if not model.compiled:
        raise Refusal("workload", "build() returns a model that isn't compiled")
    return model


def _import_file(file: str) -> ModuleType:
    name = Path(file).stem
    # In its place, the file would be what others import by this name: Keras itself, for one.
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) != file:
        reason = f"bears the name of the module {name}, which is imported already"
        raise Refusal("workload", reason, "rename the file")
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


def _settings_maker(module: ModuleType, name: str) -> tuple[str, Callable[..., Any]]:
    """Return what makes a workload's arguments of `Model.fit`, and how it is called in messages."""
    found = name if hasattr(module, name) else "FIT"
    given = getattr(module, found, {})
    return (f"{found}()", given) if callable(given) else (found, lambda: given)
