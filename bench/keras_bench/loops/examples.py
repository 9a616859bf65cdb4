"""The examples of a training, as `Model.fit` takes them, in NumPy arrays."""

from typing import Any

import keras
import numpy as np

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal


def examples_of(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """Return what Keras would feed, of all examples at once: x, (x, y) or (x, y, weights).

    Keras's own adapter converts: floats become those of `keras.config.floatx()`, a class's weight
    becomes one of each example. What can't be there is left out, as a user's `train_step` expects.

    Raises:
        LoopRefusal: it isn't arrays of numbers, alike in length.
    """
    for name, each in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        for array in arrays_of(each):
            if not keras_private.is_dense(array):
                raise LoopRefusal(
                    f"{name}: a {type(array).__name__} isn't taken; "
                    "give dense arrays of numbers, or train with fit"
                )
    try:
        whole = keras_private.converted(x, y, sample_weight, class_weight)
    except ValueError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise LoopRefusal(
            f"the data: {reason}; give arrays of numbers as fit takes them"
        ) from error
    if whole is None:
        raise LoopRefusal("the data: there is no example in it; give some")
    for array in arrays_of(whole):
        if array.dtype == object:
            raise LoopRefusal(
                "the data: it holds objects; give arrays of numbers, or train with fit"
            )
    return whole


def arrays_of(data: Any) -> list[np.ndarray]:
    """Return the arrays of a nest."""
    return [array for array in keras.tree.flatten(data) if array is not None]


def take(data: Any, indices: Any) -> Any:
    """Return these examples of a nest of arrays."""
    return keras.tree.map_structure(lambda each: None if each is None else each[indices], data)
