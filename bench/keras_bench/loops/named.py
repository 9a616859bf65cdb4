"""The loops by their names."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import keras

from keras_bench.loops.refusals import LoopRefusal
from keras_bench.records import DATA_LOOP, JIT_LOOPS, steps_per_execution

#: The loops that aren't Keras's own `fit`: where the function is that trains by them.
FITS = {
    "batch": ("keras_bench.loops.batch", "fit_batch"),
    "bare": ("keras_bench.loops.bare", "fit_bare"),
    "fused": ("keras_bench.loops.fused", "fit_fused"),
    DATA_LOOP: ("keras_bench.loops.data_alone", "pass_data"),
}


def training_by(loop: str, model: Any) -> Callable[..., Any]:
    """Return what trains a compiled model by this loop; it takes the arguments of `Model.fit`.

    Raises:
        LoopRefusal: this loop isn't there on the backend.
    """
    # Each is imported where it is asked for: what trains by `fit` carries none of them.
    if loop in FITS:
        module, name = FITS[loop]
        return partial(getattr(import_module(module), name), model)
    if loop in JIT_LOOPS:
        return fit_compiled(model, JIT_LOOPS[loop])
    steps = steps_per_execution(loop)
    if steps is None:
        raise LoopRefusal(f"no loop is named {loop!r}")
    if steps > 1:
        model.steps_per_execution = steps
        _ask_for_steps(model)
    return model.fit  # type: ignore[no-any-return]


def fit_compiled(model: Any, jit_compile: bool) -> Callable[..., Any]:
    """Return `fit` of a model with another `jit_compile` than it has.

    Raises:
        LoopRefusal: it is what the model has.
    """
    if bool(model.jit_compile) == jit_compile:
        raise LoopRefusal(f"the model has jit_compile={jit_compile} already")
    model.jit_compile = jit_compile
    return model.fit  # type: ignore[no-any-return]


def _ask_for_steps(model: Any) -> None:
    """Raise a LoopRefusal if Keras can't take so many steps per execution on this backend.

    It says so where it makes what `fit` trains with, which `fit` makes anew.
    """
    try:
        model.make_train_function()
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise LoopRefusal(f"Keras {keras.__version__} refuses it ({reason})") from error
    model.train_function = None
