"""What all loops but `fit` share: epochs, their order, validation, callbacks and the history."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
import numpy as np

from keras_bench.loops import keras_private
from keras_bench.loops.checks import refuse_callbacks, refuse_model
from keras_bench.loops.examples import arrays_of, examples_of, take
from keras_bench.loops.parts import MEMORY_BYTES, Part, parts_of_epoch
from keras_bench.loops.refusals import LoopRefusal


class Steps(Protocol):
    """Trains a model; what it changes shows in the model's variables whenever it has returned.

    It is kept with the model, and trains it again, as long as the model isn't compiled anew and has
    the same variables. Values of variables may change in between.
    """

    def train(self, batches: Any) -> None:
        """Train on every batch, in order.

        `batches` is what Keras gives to `train_step`, x, (x, y) or (x, y, weights), of several
        steps at once: NumPy arrays of shape (steps, batch size, ...), or nests of such. Should it
        raise, the variables still have values.
        """

    def logs(self) -> Mapping[str, Any]:
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
    callbacks: Any = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: Any = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | Sequence[int] = 1,
    memory_bytes: int = MEMORY_BYTES,
) -> Any:
    """Train as `Model.fit` does, by other steps, and return the `keras.callbacks.History`.

    `make_steps` makes them of the model, once its variables are there; it may refuse, too.

    Raises:
        LoopRefusal: it couldn't be the same training, before anything is trained.
    """
    epochs = limited(epochs)
    training = training_of(
        model,
        x,
        y,
        batch_size=batch_size,
        validation_split=validation_split,
        validation_data=validation_data,
        shuffle=shuffle,
        class_weight=class_weight,
        sample_weight=sample_weight,
        steps_per_epoch=steps_per_epoch,
        memory_bytes=memory_bytes,
    )
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=training.steps,
            model=model,
        )
    refuse_callbacks(callbacks.callbacks)
    return train(
        make_steps,
        model,
        training,
        callbacks,
        initial_epoch=initial_epoch,
        epochs=epochs,
        validation_batch_size=validation_batch_size or batch_size,
        validation_steps=validation_steps,
        validation_freq=validation_freq,
    )


@dataclass(frozen=True)
class Training:
    """What is trained on.

    Attributes:
        x: the examples as they were given, but for those to validate with
        y: what to learn of them, likewise
        sample_weight: how much each counts, likewise
        validation_data: what to validate with, if anything
        data: the examples in arrays, as Keras gives a batch to `train_step`
        parts: the calls of an epoch
        shuffle: whether the examples are put in another order at every epoch
    """

    x: Any
    y: Any
    sample_weight: Any
    validation_data: Any
    data: Any
    parts: tuple[Part, ...]
    shuffle: bool

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return sum(part.steps for part in self.parts)

    @property
    def kind(self) -> str:
        """What programs are compiled for: the calls of an epoch, the arrays' shapes and dtypes."""
        arrays = keras.tree.map_structure(
            lambda each: None if each is None else (each.shape[1:], each.dtype), self.data
        )
        return repr((self.parts, arrays))

    def batches(self, part: Part, order: np.ndarray) -> Any:
        """Return the batches of a part, as `Steps.train` takes them."""
        indices = order[part.start : part.stop].reshape(part.steps, part.batch_size)
        return take(self.data, indices)


def training_of(
    model: Any,
    x: Any,
    y: Any,
    *,
    batch_size: int | None,
    validation_split: float,
    validation_data: Any,
    shuffle: Any,
    class_weight: Mapping[int, float] | None,
    sample_weight: Any,
    steps_per_epoch: int | None,
    memory_bytes: int,
) -> Training:
    """Return what a model is trained on, cut for validation and into calls.

    Raises:
        LoopRefusal: it couldn't be the same training as by `fit`.
    """
    refuse_model(model)
    _refuse_settings(shuffle, steps_per_epoch)
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = keras_private.split_for_validation(
            (x, y, sample_weight), validation_split
        )
    data = examples_of(x, y, sample_weight, class_weight)
    arrays = arrays_of(data)
    examples, bytes_per_example = len(arrays[0]), sum(array[:1].nbytes for array in arrays)
    parts = parts_of_epoch(examples, batch_size or 32, bytes_per_example, memory_bytes)
    return Training(x, y, sample_weight, validation_data, data, parts, bool(shuffle))


def train(
    make_steps: Callable[[Any], Steps],
    model: Any,
    training: Training,
    callbacks: Any,
    *,
    initial_epoch: int,
    epochs: int,
    validation_batch_size: int | None,
    validation_steps: int | None,
    validation_freq: int | Sequence[int],
) -> Any:
    """Train as `Model.fit` does with a CallbackList, and return the `keras.callbacks.History`."""
    examples = training.parts[-1].stop
    order = keras_private.ExampleOrder(examples, training.shuffle)
    _build(model, training, order)
    kept = _kept_for(model, make_steps)
    model.stop_training = False
    callbacks.on_train_begin()
    logs: dict[str, Any] = {}
    for epoch in range(keras_private.first_epoch(model, initial_epoch), epochs):
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        numbers = order.of_next_epoch()
        for part in training.parts:
            kept.steps.train(training.batches(part, numbers))
        logs = dict(kept.steps.logs())
        kept.compiled.add(training.kind)
        if training.validation_data is not None and _is_validated(epoch, validation_freq):
            logs |= _validate(
                model,
                training.validation_data,
                batch_size=validation_batch_size,
                steps=validation_steps,
                callbacks=callbacks,
            )
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    # Not where something was raised: averages of weights that nothing was trained of are zeros.
    if epochs > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)
    return model.history


def steps_of(model: Any, make_steps: Callable[[Any], Steps]) -> Any:
    """Return the steps by which a built model will be trained, of the kind that is made."""
    return _kept_for(model, make_steps).steps


def is_compiled(model: Any, make_steps: Callable[[Any], Steps], training: Training) -> bool:
    """Tell whether steps that are kept with the model have trained it on such batches before."""
    kept = _kept(model)
    return (
        kept is not None
        and kept.made_for_all(_made_for(model, make_steps))
        and training.kind in kept.compiled
    )


def _refuse_settings(shuffle: Any, steps_per_epoch: int | None) -> None:
    if shuffle == "batch":
        raise LoopRefusal('shuffle="batch": a loop shuffles all examples; give True or False')
    if steps_per_epoch is not None or _of_config("max_steps_per_epoch"):
        raise LoopRefusal(
            "steps_per_epoch: an epoch of a loop is all examples once; "
            "leave it out, or train with fit"
        )
    if keras.distribution.distribution() is not None:
        raise LoopRefusal(
            "keras.distribution: a loop trains on one device; unset it, or train with fit"
        )


def limited(epochs: int) -> int:
    """Return the epoch to end with, which Keras may be set to limit."""
    most = _of_config("max_epochs")
    if most and most < epochs:
        warnings.warn(f"Limiting epochs to {most}", stacklevel=4)
        return int(most)
    return epochs


def _of_config(name: str) -> int | None:
    """Return a limit that older Keras doesn't know."""
    limit = getattr(keras.config, name, None)
    return limit() if limit is not None else None


def _build(model: Any, training: Training, order: keras_private.ExampleOrder) -> None:
    """Make the variables of the model, its optimizer, loss and metrics that aren't there yet."""
    parts = (*keras_private.layers_of(model), *keras_private.compiled_parts(model))
    if not all(part.built for part in parts):
        # `fit` shuffles for the batch that it looks at then: so later random numbers are the same.
        order.look_at_a_batch()
    keras_private.build(model, take(training.data, slice(0, training.parts[0].batch_size)))
    order.begin()
    if not model.trainable_variables:
        raise LoopRefusal("the model: nothing of it is trainable; use model.evaluate()")


@dataclass(frozen=True)
class _Kept:
    """Steps, and what they were made for: the compilation and the variables of the model.

    `compiled` holds the kinds of trainings that they have done an epoch of.
    """

    steps: Steps
    made_for: tuple[Any, ...]
    compiled: set[str] = field(default_factory=set)

    def made_for_all(self, these: tuple[Any, ...]) -> bool:
        return list(map(id, self.made_for)) == list(map(id, these))


def _kept_for(model: Any, make_steps: Callable[[Any], Steps]) -> _Kept:
    """Return the steps that trained the model before, or new ones, as Keras's `train_function`."""
    made_for, kept = _made_for(model, make_steps), _kept(model)
    if kept is None or not kept.made_for_all(made_for):
        # On the model itself, so that they are forgotten together.
        kept = model._steps_of_loop = _Kept(make_steps(model), made_for)
    return kept


def _kept(model: Any) -> _Kept | None:
    return getattr(model, "_steps_of_loop", None)


def _made_for(model: Any, make_steps: Callable[[Any], Steps]) -> tuple[Any, ...]:
    # Every compilation makes another tracker of the loss.
    tracker = keras_private.loss_tracker(model)
    return (make_steps, tracker, *model.trainable_variables, *model.variables)


def _is_validated(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Tell whether `fit` validates after an epoch, counted from 0."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _validate(model: Any, validation_data: Any, **settings: Any) -> dict[str, Any]:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(validation_data)
    logs = model.evaluate(x, y, sample_weight=sample_weight, return_dict=True, **settings)
    return {f"val_{name}": value for name, value in logs.items()}
