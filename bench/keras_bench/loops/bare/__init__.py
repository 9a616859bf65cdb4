"""Trains the notes' networks in the framework itself, without Keras: `fit_bare`.

It is the floor of a framework: what is left of an epoch where nothing of Keras is in it.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras

from keras_bench.loops.epochs import Steps, fit_by


def fit_bare(model: Any, x: Any, y: Any = None, **settings: Any) -> Any:
    """Train as `Model.fit` does, without Keras, and return the `keras.callbacks.History`.

    Raises:
        LoopRefusal: the model is more than a plain stack of Dense layers, or the data more than an
            array of examples and one of labels.
    """
    return fit_by(_bare_steps(), model, x, y, **settings)


def _bare_steps() -> Callable[[Any], Steps]:
    # Only the framework that Keras runs on is there.
    module = import_module(f"keras_bench.loops.bare.bare_{keras.backend.backend()}")
    return module.BareSteps  # type: ignore[no-any-return]
