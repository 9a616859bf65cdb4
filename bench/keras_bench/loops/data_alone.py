"""Goes through an epoch's data as `fit` does on TensorFlow, and trains nothing."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import keras

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal

#: Stands where a loss would: nothing is trained.
NO_LOSS = {"loss": 0.0}


def pass_data(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    callbacks: Sequence[Any] | None = None,
    shuffle: bool = True,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    **settings: Any,
) -> None:
    """Take every batch of every epoch from Keras's own dataset, in one compiled function.

    On TensorFlow `fit` takes batches within its compiled step, and other threads make them, so
    that no profiler of Python sees what they cost. On the other backends it does.

    Raises:
        LoopRefusal: on another backend, or where `fit` wouldn't train on all of the data.
    """
    if keras.backend.backend() != "tensorflow":
        raise LoopRefusal("data are passed by themselves on tensorflow alone")
    if settings.get("validation_split") or steps_per_epoch is not None:
        raise LoopRefusal("data are passed by themselves as a whole alone")
    # Only the framework that Keras runs on is there.
    tensorflow = import_module("tensorflow")
    batches = keras_private.tensorflow_epochs(
        model,
        x=x,
        y=y,
        sample_weight=sample_weight,
        batch_size=batch_size,
        shuffle=shuffle,
        steps_per_execution=1,
    )

    @tensorflow.function  # type: ignore[untyped-decorator]
    def steps(dataset: Any) -> Any:
        return dataset.reduce(tensorflow.constant(0), lambda count, *_: count + 1)

    listeners = keras.callbacks.CallbackList(list(callbacks or ()), model=model)
    model.stop_training = False
    listeners.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        listeners.on_epoch_begin(epoch)
        steps(batches._get_iterator())
        batches.reset()
        listeners.on_epoch_end(epoch, NO_LOSS)
        if model.stop_training:
            break
    listeners.on_train_end(NO_LOSS)
