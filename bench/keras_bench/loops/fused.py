"""Trains with a whole epoch in one call of the framework's compiler: `fit_fused`."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import keras

from keras_bench.loops.epochs import fit_by
from keras_bench.loops.fit_or_fused import CompiledSteps, fit_or_fused
from keras_bench.loops.parts import MEMORY_BYTES

#: What trains, by the value of `fused`.
LOOPS: dict[str, Callable[..., Any]] = {"always": fit_by, "auto": fit_or_fused}


def fit_fused(
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
    fused: str = "always",
) -> Any:
    """Train a compiled Keras model as `model.fit` does, each epoch in one call of a compiler.

    It is the same training: the same losses, metrics, callbacks and final weights to rounding,
    from the model's own layers, loss, optimizer and `train_step`. What differs from `fit`:

    - Python sees no single batch. So there are no callbacks at batches, and the progress bar moves
      once an epoch.
    - Where `shuffle` is true, the examples are ordered as `fit` orders them on JAX, so after
      `keras.utils.set_random_seed` both train on the same batches there. On TensorFlow and torch
      `fit` takes the framework's random numbers: the batches are others, and what hangs on them,
      such as the epoch after which `EarlyStopping` ends the training. With `shuffle=False` it
      doesn't differ.
    - It is always compiled, by XLA or by torch's compiler, whatever `jit_compile` says; or, where
      that can't be the same or faster, made one graph, or a program that is called for each batch.
      The first epoch carries that. The program is kept with the model, until that is compiled anew.
    - The batches of an epoch are copied together, for which there must be memory.

    With `fused="auto"` the first epochs are trained by `fit`. From their times it is estimated
    whether compiling pays in the epochs that are left; only then are these fused. What the fused
    loop refuses is trained by `fit`. To callbacks it is one training. What was done is in
    `history.fused` (its `sentence` says it, and is printed unless `verbose` is 0).

    Args:
        model: A compiled `keras.Model`, built or not.
        x: The examples: an array, or a list or dict of arrays, one for every input. NumPy arrays,
            tensors of any framework, pandas frames and series; the first dimension counts the
            examples.
        y: What to learn, likewise.
        batch_size: Examples of a step, 32 unless given. The last batch may be shorter.
        epochs: The epoch to end with, as in `fit`: `epochs - initial_epoch` are trained.
        verbose: 0, 1, 2 or "auto", as in `fit`.
        callbacks: Callbacks that have work at epochs only, as in `fit`.
        validation_split: The share of the examples, from the end, to validate with instead.
        validation_data: What `model.evaluate` takes, (x, y) or (x, y, sample_weight), or a dataset.
        shuffle: Whether to put the examples in another order at every epoch.
        class_weight: How much the examples of a class count, by its number.
        sample_weight: How much each example counts, of shape (examples,), or as `y` is nested.
        initial_epoch: The number of the first epoch, from 0.
        steps_per_epoch: Refused: an epoch is all examples once.
        validation_steps: Batches to validate with, all unless given.
        validation_batch_size: As `batch_size`, which it is unless given.
        validation_freq: Validate after every so many epochs, or after those of a list, from 1.
        memory_bytes: How many bytes of batches may be copied for a call. A longer epoch takes
            several calls.
        fused: "always", or "auto" for fused epochs only where they are expected to save time.

    Returns:
        The `keras.callbacks.History`, which is `model.history`, too.

    Raises:
        LoopRefusal: It wouldn't be the same training, or can't be compiled. Nothing has been
            trained then. The message names the thing, the reason, and what to do instead. It isn't
            raised with `fused="auto"`.
        ValueError: `fused` is neither "always" nor "auto".
    """
    if fused not in LOOPS:
        raise ValueError(f"fused={fused!r}: give {' or '.join(map(repr, LOOPS))}")
    return LOOPS[fused](
        _fused_steps(),
        model,
        x,
        y,
        batch_size=batch_size,
        epochs=epochs,
        verbose=verbose,
        callbacks=callbacks,
        validation_split=validation_split,
        validation_data=validation_data,
        shuffle=shuffle,
        class_weight=class_weight,
        sample_weight=sample_weight,
        initial_epoch=initial_epoch,
        steps_per_epoch=steps_per_epoch,
        validation_steps=validation_steps,
        validation_batch_size=validation_batch_size,
        validation_freq=validation_freq,
        memory_bytes=memory_bytes,
    )


def _fused_steps() -> Callable[[Any], CompiledSteps]:
    # Only the framework that Keras runs on is there.
    module = import_module(f"keras_bench.loops.fused_{keras.backend.backend()}")
    return module.FusedSteps  # type: ignore[no-any-return]
