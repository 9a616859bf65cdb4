"""What all loops but `fit` share: epochs, their order, validation, callbacks and the history."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np

from bench.loops.parts import MEMORY_BYTES, Part, parts_of_epoch
from bench.loops.refusals import LoopRefusal


class Steps(Protocol):
    """Trains a model; what it changes shows in the model's variables whenever it has returned."""

    def train(self, batches: Any) -> None:
        """Train on every batch, in order.

        `batches` is a triple of x, y and sample weights: NumPy arrays of shape (steps, batch size,
        ...), or nests of such, or None for y and weights.
        """

    def logs(self) -> dict[str, float]:
        """Return the epoch's metrics so far."""


def fit_by(
    make_steps: Callable[[Any], Steps],
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: Any = "auto",
    callbacks: Sequence[Any] | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool = True,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    validation_batch_size: int | None = None,
    validation_freq: int = 1,
    memory_bytes: int = MEMORY_BYTES,
) -> Any:
    """Train as `Model.fit` does, by other steps, and return the `keras.callbacks.History`.

    Raises:
        LoopRefusal: it couldn't be the same training, before anything is trained.
    """
    if validation_split:
        raise LoopRefusal("validation_split isn't taken; cut the data and give validation_data")
    batch_size = batch_size or 32
    data = keras.tree.map_structure(_array, (x, y, sample_weight))
    arrays = [array for array in keras.tree.flatten(data) if array is not None]
    examples = len(arrays[0])
    parts = parts_of_epoch(
        examples, batch_size, sum(array[:1].nbytes for array in arrays), memory_bytes
    )
    _build(model, _take(data, Part(0, 1, min(batch_size, examples)), np.arange(examples)))
    steps = make_steps(model)
    listeners = keras.callbacks.CallbackList(
        list(callbacks or ()),
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=-(-examples // batch_size),
        model=model,
    )
    model.stop_training = False
    listeners.on_train_begin()
    logs: dict[str, float] = {}
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        listeners.on_epoch_begin(epoch)
        order = np.random.permutation(examples) if shuffle else np.arange(examples)
        for part in parts:
            steps.train(_take(data, part, order))
        logs = steps.logs()
        if validation_data is not None and (epoch + 1) % validation_freq == 0:
            logs |= _validate(model, validation_data, validation_batch_size or batch_size)
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if epochs > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    listeners.on_train_end(logs)
    return model.history


def _array(each: Any) -> Any:
    """Return an array as Keras would feed it: its floats in the precision of the backend."""
    if each is None:
        return None
    array = np.asarray(each)
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array


def _take(data: Any, part: Part, order: np.ndarray) -> Any:
    """Return the batches of a part."""
    chosen = order[part.start : part.stop]

    def take(array: Any) -> Any:
        if array is None:
            return None
        return array[chosen].reshape(part.steps, part.batch_size, *array.shape[1:])

    return keras.tree.map_structure(take, data)


def _build(model: Any, batches: Any) -> None:
    """Make the variables of the model, its optimizer, loss and metrics that aren't there yet."""
    batch = keras.tree.map_structure(lambda a: None if a is None else a[0], batches)
    model._symbolic_build(data_batch=batch)


def _validate(model: Any, validation_data: Any, batch_size: int) -> Mapping[str, float]:
    x, y, sample_weight = (*validation_data, None)[:3]
    logs = model.evaluate(
        x, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0, return_dict=True
    )
    return {f"val_{name}": value for name, value in logs.items()}
