"""Turns what a user's own code raises into a refusal of its kind."""

import sys

from bench.records import BACKENDS
from bench.worker.protocol import Refusal, one_line

#: How Keras begins an error of its own that it raises in the place of the user's.
WRAPPERS = ("Unable to automatically build the model", "Exception encountered when calling")


def refusal(what: str, error: Exception) -> Refusal:
    """Return what is to be raised from an error of the user's code; `what` says where it arose.

    It is "unsupported" where the code says that this backend isn't for it: by NotImplementedError,
    or by importing the framework of another backend, which this environment doesn't hold.
    """
    cause = _cause(error)
    if isinstance(cause, NotImplementedError):
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
        isinstance(error, ImportError) or str(error).startswith(WRAPPERS)
    ):
        error = error.__context__
    return error
