"""Trains a case by `fit` and by a loop from the same start, and compares what each leaves."""

from collections.abc import Callable
from typing import Any

import numpy as np
from trainings import BATCH_SIZE, EPOCHS, Case


def state(model: Any) -> dict[str, list[np.ndarray]]:
    """Copy every variable of a compiled model, by what it is."""
    from keras import ops

    groups = {
        "weights": model.trainable_variables,
        "other variables": model.non_trainable_variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
    return {
        name: [np.array(ops.convert_to_numpy(variable.value)) for variable in variables]
        for name, variables in groups.items()
    }


def deviation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, by the size of the array where it is floats.

    What is nearly nought everywhere is compared with 0.001 rather than with itself.
    """
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    if not ours.size:
        return 0.0
    difference = np.abs(ours.astype("float64") - theirs.astype("float64")).max()
    if ours.dtype.kind != "f":
        return float(difference)
    return float(difference / max(np.abs(theirs).max(), 1e-3))


def deviations(ours: dict[str, list[Any]], theirs: dict[str, list[Any]]) -> dict[str, float]:
    found = {}
    for name, arrays in theirs.items():
        if len(ours[name]) != len(arrays):
            found[name] = float("inf")
        else:
            pairs = zip(ours[name], arrays, strict=True)
            # Unlike max(), it keeps what is no number.
            found[name] = float(np.max([deviation(a, b) for a, b in pairs], initial=0.0))
    return found


def train(keras: Any, case: Case, by: Callable[..., Any], **more: Any) -> Any:
    """Train from the same start by `fit` or a loop; return the model and the epochs' logs."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = case.build(keras)
    settings = {"batch_size": BATCH_SIZE, "epochs": EPOCHS, "shuffle": False, **case.settings}
    settings |= {"verbose": 0, "callbacks": case.callbacks(keras)}
    history = by(model, **case.data(), **settings, **more).history
    return model, {name: [np.array(values)] for name, values in history.items()}


def compare(keras: Any, loop: Callable[..., Any], case: Case) -> dict[str, Any]:
    """Return where a loop parts from `fit`: the largest deviation of each kind."""
    model, logs = train(keras, case, loop, **case.loop_settings)
    ours = {**state(model), **logs}
    by_fit, logs_of_fit = train(keras, case, type(model).fit)
    theirs = {**state(by_fit), **logs_of_fit}
    if ours.keys() != theirs.keys():
        return {"logs": [sorted(logs), sorted(logs_of_fit)]}
    return {"deviations": deviations(ours, theirs)}


def refusal(keras: Any, loop: Callable[..., Any], case: Case) -> dict[str, Any]:
    """Return why a loop refused, and whether it left the model's weights alone."""
    from keras_bench.loops.refusals import LoopRefusal

    keras.utils.set_random_seed(0)
    model = case.build(keras)
    before = model.get_weights()
    settings = {"batch_size": BATCH_SIZE, "epochs": 1, "shuffle": False, **case.settings}
    try:
        loop(model, **case.data(), **settings, verbose=0)
    except LoopRefusal as reason:
        same = all(map(np.array_equal, before, model.get_weights()))
        return {"refusal": str(reason), "untouched": same}
    return {"refusal": ""}
