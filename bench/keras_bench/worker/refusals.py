"""Turns what a user's own code raises into a refusal of its kind, with its remedy."""

import os
import sys
import traceback
from importlib.util import find_spec

from keras_bench.records import BACKENDS
from keras_bench.worker.protocol import Refusal, one_line

#: How Keras begins an error of its own that it raises in the place of the user's.
WRAPPER = "Unable to automatically build the model"

#: The packages whose own errors are no fault of a workload.
FRAMEWORKS = ("keras", "tensorflow", "jax", "jaxlib", "torch", "openvino")

#: What Keras raises by itself where the user's code is wrong.
KERAS_FINDS_FAULTS = (NotImplementedError, TypeError, ValueError)

#: What frameworks raise where the data are wrong: numbers that a table has no row for.
FRAMEWORKS_FIND_FAULTS = ("IndexError", "InvalidArgumentError")

#: The distributions of modules that go by another name.
MODULE_DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def refusal(what: str, error: Exception) -> Refusal:
    """Return what is to be raised from an error of the user's code; `what` says where it arose.

    It is "unsupported" where the code says that this backend isn't for it: by NotImplementedError,
    or by importing the framework of another backend, which this environment doesn't hold. Keras
    itself raises NotImplementedError for faults, too, such as a layer without call(). It is
    "framework" where Keras or a framework fails by itself. The remedy is that of a module or a
    variable which the worker lacks, and none where the file is at fault.
    """
    cause = _cause(error)
    raiser = _raiser(cause)
    if isinstance(cause, NotImplementedError) and not _is_keras_itself(raiser):
        own_words = one_line(cause).partition(": ")[2]
        return Refusal("unsupported", own_words or f"{what} NotImplementedError")
    if isinstance(cause, ModuleNotFoundError):
        module = (cause.name or "").partition(".")[0]
        if module in BACKENDS and module not in sys.modules:
            return Refusal("unsupported", f"it needs {module}")
        if module and module not in sys.stdlib_module_names and not _is_there(module):
            return Refusal(
                "workload",
                f"{what} ModuleNotFoundError: no module {module} in its environment",
                f"add `--with {MODULE_DISTRIBUTIONS.get(module, module)}`, or install it there",
            )
    if isinstance(cause, KeyError) and raiser == "os" and cause.args[0] not in os.environ:
        name = cause.args[0]
        reason = f"{what} KeyError: a worker has no variable {name}"
        return Refusal("workload", reason, f"add `--pass-env {name}`")
    remedy = _remedy(cause, raiser)
    by_itself = remedy and type(cause).__name__ not in FRAMEWORKS_FIND_FAULTS
    return Refusal("framework" if by_itself else "workload", f"{what} {one_line(cause)}", remedy)


def _cause(error: BaseException) -> BaseException:
    """Return the error that the user's code raised itself."""
    while error.__context__ is not None and (
        isinstance(error, ImportError) or str(error).startswith(WRAPPER)
    ):
        error = error.__context__
    return error


def _raiser(error: BaseException) -> str:
    """Return the name of the module that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")) if frames else ""


def _remedy(error: BaseException, raiser: str) -> str:
    """Return what to do about an error that a framework raises; none where the file is at fault."""
    package, *inner = raiser.split(".")
    if package not in FRAMEWORKS:
        return ""
    name = {"keras": "Keras", "jaxlib": "jax"}.get(package, package)
    if _is_keras_itself(raiser):
        if isinstance(error, KERAS_FINDS_FAULTS):
            return ""
    elif package == "keras":
        name += f" on {inner[2]}"
    return f"{name} itself raises it (--debug shows the traceback)"


def _is_keras_itself(raiser: str) -> bool:
    """Tell whether a module is Keras's own, and none of its side of a backend.

    Keras itself asks for what the user was to write; its side of a backend says what this backend
    lacks.
    """
    package, *inner = raiser.split(".")
    is_side = inner[:2] == ["src", "backend"] and inner[2:3] != ["common"]
    return package == "keras" and not is_side


def _is_there(module: str) -> bool:
    """Tell whether a module can be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except ValueError:  # It is imported, and doesn't say from where.
        return True
