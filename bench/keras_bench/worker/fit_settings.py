"""The arguments of `Model.fit` that a workload sets, with a refusal for those that can't be."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from keras_bench.fit_values import fault_of
from keras_bench.worker.callbacks import callbacks_of
from keras_bench.worker.protocol import Refusal
from keras_bench.worker.refusals import refusal

#: What no workload sets, and where it is from instead.
SET_ELSEWHERE = {"x": "comes from data()", "y": "comes from data()"}

#: What `--set` doesn't set, beside that.
NOT_BY_OPTION = {"callbacks": "stands in FIT alone", "verbose": "the suite sets itself"}


def arguments_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return what can be given to a function by name, in its order."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.items()
    return tuple(name for name, parameter in parameters if parameter.kind in by_name)


def fit_arguments() -> frozenset[str]:
    """Return the names of what `Model.fit` takes."""
    return frozenset(arguments_of(sys.modules["keras"].Model.fit)) - {"self"}


def settings_of_file(source: str, make: Callable[[], Any]) -> dict[str, Any]:
    """Return the settings that a workload's FIT gives; `source` is how messages name it."""
    try:
        given = make()
    except Exception as error:
        raise refusal(f"{source} raises", error) from error
    if not isinstance(given, Mapping):
        raise Refusal("workload", f"{source} is a {type(given).__name__} instead of a dict")
    settings = _checked(source, dict(given), SET_ELSEWHERE)
    settings.pop("verbose", None)  # Nobody reads what a worker prints.
    if callbacks := callbacks_of(source, settings.pop("callbacks", None)):
        settings["callbacks"] = callbacks
    return settings


def settings_of_option(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that `--set` gives."""
    return _checked("--set", settings, SET_ELSEWHERE | NOT_BY_OPTION)


def _checked(
    source: str, settings: dict[str, Any], set_elsewhere: Mapping[str, str]
) -> dict[str, Any]:
    remedy = "give --set another one" if source == "--set" else ""
    known = fit_arguments()
    for name in settings:
        if name in set_elsewhere:
            reason = f"{source} sets {name!r}, which {set_elsewhere[name]}"
            raise Refusal("workload", reason, remedy)
        if name not in known:
            near = "".join(f" (it takes {each!r})" for each in get_close_matches(name, known, 1))
            reason = f"{source} sets {name!r}, which Model.fit doesn't take{near}"
            raise Refusal("workload", reason, remedy)
    for name, value in settings.items():
        if fault := fault_of(name, value):
            raise Refusal("workload", f"{source} has {fault}", remedy)
    return settings


def of_any_length(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings by which any number of epochs can be trained; raise Refusal for others."""
    if epoch_count(settings) < 1:
        first, end = settings["initial_epoch"], settings.get("epochs", 1)
        raise Refusal("workload", f"initial_epoch={first} isn't below epochs={end}")
    if isinstance(settings.get("validation_freq"), list):
        reason = "validation_freq lists epochs, and more are trained than FIT says"
        raise Refusal("workload", reason, "make it a whole number")
    validation_data = settings.get("validation_data")
    if isinstance(validation_data, Iterator) and settings.get("validation_steps") is None:
        reason = f"validation_data is a {type(validation_data).__name__}, spent after one epoch"
        raise Refusal("workload", reason, "give arrays or a keras.utils.PyDataset, which last")
    return settings


def epoch_count(settings: Mapping[str, Any]) -> int:
    """Return how many epochs are trained by these settings."""
    return int(settings.get("epochs", 1) - settings.get("initial_epoch", 0))
