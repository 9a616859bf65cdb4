"""The loops by their names."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from bench.loops.fused import fit_fused
from bench.loops.refusals import LoopRefusal
from bench.records import steps_per_execution


def training_by(loop: str, model: Any) -> Callable[..., Any]:
    """Return what trains a compiled model by this loop; it takes the arguments of `Model.fit`.

    Raises:
        LoopRefusal: this loop isn't there on the backend.
    """
    if loop == "fused":
        return partial(fit_fused, model)
    steps = steps_per_execution(loop)
    if steps is None:
        raise LoopRefusal(f"no loop is named {loop!r}")
    if steps > 1:
        if keras.backend.backend() == "torch":
            raise LoopRefusal("Keras takes no steps_per_execution above 1 on torch")
        model.steps_per_execution = steps
    return model.fit  # type: ignore[no-any-return]
