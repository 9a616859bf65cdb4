"""Loads a workload file and takes its parts, with a refusal for every fault of the user's."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.worker.protocol import Refusal, one_line

#: Arguments of `Model.fit` that the suite sets itself.
RESERVED_FIT_SETTINGS = ("x", "y", "verbose", "callbacks", "initial_epoch")


def load_workload(path: Path) -> ModuleType:
    """Import the file as if it were run by itself."""
    # What lies beside it can be imported; what is installed comes first, so that a workload in a
    # package's own checkout trains with the package of the environment.
    sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Refusal("workload", "isn't a Python file")
    module = importlib.util.module_from_spec(spec)
    # Keras and pickle look a custom class up by the name of its module.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise Refusal("workload", f"line {error.lineno} has a syntax error: {error.msg}") from error
    except Exception as error:
        raise Refusal("workload", f"breaks at import with {one_line(error)}") from error
    for name in ("build", "data"):
        if not callable(getattr(module, name, None)):
            raise Refusal("workload", f"has no function {name}()")
    return module


def fit_settings(workload: ModuleType) -> dict[str, Any]:
    """Return the workload's arguments of `Model.fit`."""
    settings = getattr(workload, "FIT", {})
    if not isinstance(settings, Mapping):
        raise Refusal("workload", f"FIT is a {type(settings).__name__} instead of a dict")
    for name in RESERVED_FIT_SETTINGS:
        if name in settings:
            raise Refusal("workload", f"FIT sets {name!r}, which the suite sets itself")
    epochs = settings.get("epochs", 1)
    if not isinstance(epochs, int) or epochs < 1:
        raise Refusal("workload", f"FIT has epochs={epochs!r} instead of a whole number above 0")
    return dict(settings)


def make_data(workload: ModuleType, seed: int) -> tuple[Any, Any]:
    """Return the workload's arrays x and y."""
    try:
        arrays = workload.data(seed)
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


def build_model(workload: ModuleType, keras: Any) -> Any:
    """Return the workload's compiled model."""
    try:
        model = workload.build()
    except Exception as error:
        raise Refusal("workload", f"build() raises {one_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise Refusal("workload", f"build() returns a {type(model).__name__}, no keras.Model")
    if not model.compiled:
        raise Refusal("workload", "build() returns a model that isn't compiled")
    return model
