"""The callbacks of a workload: which a timed training can have, and what they are told there."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_bench.loops.keras_private import goes_on_between_batches
from keras_bench.worker.protocol import Refusal


def callbacks_of(source: str, given: Any) -> list[Any]:
    """Return what stands as `callbacks` in a workload's settings of `fit`, as Keras flattens it.

    Raises Refusal, which names the source, for what can't be one of a timed training.
    """
    if not given:
        return []
    keras = sys.modules["keras"]
    of_keras = keras.callbacks
    if isinstance(given, of_keras.CallbackList):
        given = given.callbacks
    callbacks = list(keras.tree.flatten(given))
    for callback in callbacks:
        name = type(callback).__name__
        if not isinstance(callback, of_keras.Callback):
            reason = f"{source} has a {name} among its callbacks, no keras.callbacks.Callback"
            raise Refusal("workload", reason)
        if isinstance(callback, of_keras.BackupAndRestore):
            reason = f"{source} has the callback {name}, and every timed training begins anew"
            raise Refusal("workload", f"{reason}; leave it out")
    return callbacks


def tell_epochs_of_fit(callback: Any, initial_epoch: int, epochs: int) -> None:
    """Let a callback hear of the epochs that `fit` has, again and again, however many are trained.

    A schedule may have no rate for others.
    """

    def numbered(hook: Callable[..., None]) -> Callable[..., None]:
        def tell(epoch: int, logs: Any = None) -> None:
            hook(initial_epoch + (epoch - initial_epoch) % (epochs - initial_epoch), logs)

        return tell

    callback.on_epoch_begin = numbered(callback.on_epoch_begin)
    callback.on_epoch_end = numbered(callback.on_epoch_end)
    set_params = callback.set_params

    def set_params_of_fit(params: Mapping[str, Any]) -> None:
        set_params({**params, "epochs": epochs})

    callback.set_params = set_params_of_fit


def waiting_for_batches(callbacks: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of those for which Keras waits for every batch, where else it goes on.

    They have a hook at the end of batches, and the backend's steps are asynchronous.
    """
    if not callbacks or not goes_on_between_batches([]):
        return ()
    waiting = (each for each in callbacks if not goes_on_between_batches([each]))
    return tuple(dict.fromkeys(type(each).__name__ for each in waiting))
