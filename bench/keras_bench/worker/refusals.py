"""Turns what a user's own code raises into a refusal of its kind."""

import sys
import traceback

from keras_bench.records import BACKENDS
from keras_bench.worker.protocol import Refusal, one_line

#: How Keras begins an error of its own that it raises in the place of the user's.
WRAPPER = "Unable to automatically build the model"


def refusal(what: str, error: Exception) -> Refusal:
    """Return what is to be raised from an error of the user's code; `what` says where it arose.

    It is "unsupported" where the code says that this backend isn't for it: by NotImplementedError,
    or by importing the framework of another backend, which this environment doesn't hold. Keras
    itself raises NotImplementedError for faults, too, such as a layer without call().
    """
    cause = _cause(error)
    if isinstance(cause, NotImplementedError) and not _is_fault(_raiser(cause)):
        own_words = one_line(cause).partition(": ")[2]
        return Refusal("unsupported", own_words or f"{what} NotImplementedError")
    if isinstance(cause, ModuleNotFoundError):
        framework = (cause.name or "").partition(".")[0]
        if framework in BACKENDS and framework not in sys.modules:
            return Refusal("unsupported", f"it needs {framework}")
    return Refusal("workload", f"{what} {one_line(cause)}")


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


def _is_fault(raiser: str) -> bool:
    """Tell whether what this module doesn't implement is what the user was to write."""
    package, *inner = raiser.split(".")
    # Of Keras, only its side of a backend says that this backend lacks something.
    lacks_something = inner[:2] == ["src", "backend"] and inner[2:3] != ["common"]
    return package == "keras" and not lacks_something
