"""Trains with a whole epoch in one call of the framework's compiler: `fit_fused`."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras

from bench.loops.epochs import Steps, fit_by


def fit_fused(model: Any, x: Any, y: Any = None, **settings: Any) -> Any:
    """Train as `Model.fit` does, an epoch a call, and return the `keras.callbacks.History`."""
    return fit_by(_fused_steps(), model, x, y, **settings)


def _fused_steps() -> Callable[[Any], Steps]:
    # Only the framework that Keras runs on is there.
    module = import_module(f"bench.loops.fused_{keras.backend.backend()}")
    return module.FusedSteps  # type: ignore[no-any-return]
