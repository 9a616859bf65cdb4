"""Whether a loop can train a model as `fit` would, found before anything is trained."""

from collections.abc import Iterable
from typing import Any

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal

#: What Keras calls around every batch; the last two are the first two's names of old.
BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")

#: Keras's own callbacks that never end a training.
NEVER_END = {
    "BackupAndRestore", "CSVLogger", "History", "LearningRateScheduler", "ModelCheckpoint",
    "OrbaxCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "RemoteMonitor", "SwapEMAWeights",
    "TensorBoard",
}  # fmt: skip


def refuse_model(model: Any) -> None:
    """Raise a LoopRefusal for a model that isn't trained by compiled steps of one process."""
    if not model.compiled:
        raise LoopRefusal("the model: it isn't compiled; call model.compile() first")
    if model.optimizer is None:
        raise LoopRefusal("the model: it has no optimizer; give model.compile() one")
    if model.run_eagerly:
        raise LoopRefusal(
            "run_eagerly=True: it asks that Python runs every step, and a loop's are compiled; "
            "compile the model without it, or train with fit"
        )
    if keras_private.was_distributed(model):
        raise LoopRefusal(
            "the model: it was made under a distribution strategy, and a loop trains on one "
            "device; make it outside of the strategy, or train with fit"
        )


def refuse_callbacks(callbacks: Iterable[Any]) -> None:
    """Raise a LoopRefusal for the first callback that must be called at every batch."""
    for callback in callbacks:
        hook = batch_hook(callback)
        if hook is not None:
            raise LoopRefusal(
                f"the callback {type(callback).__name__}: its {hook} is called at every batch, and "
                "a loop calls back once an epoch; use its epoch hooks, or train with fit"
            )


def may_end_early(callback: Any) -> bool:
    """Tell whether a callback may end a training before its last epoch, as a user's own may."""
    kind = type(callback)
    return not (kind.__module__.startswith("keras.") and kind.__name__ in NEVER_END)


def batch_hook(callback: Any) -> str | None:
    """Return the name of a method of a Keras callback that must be called at every batch."""
    for name in BATCH_HOOKS:
        hook = getattr(callback, name)
        if not _idle(callback, hook):
            return name
    return None


def _idle(callback: Any, hook: Any) -> bool:
    """Tell whether a hook is Keras's own and has nothing to do at this callback's settings."""
    if not hook.__module__.startswith("keras."):
        return False
    owner = hook.__qualname__.split(".")[0]
    if owner == "Callback":
        return True  # It isn't overridden.
    if owner in ("ModelCheckpoint", "BackupAndRestore", "OrbaxCheckpoint"):
        return bool(callback.save_freq == "epoch")
    if owner == "TensorBoard":
        every_batch = callback.write_steps_per_second or keras_private.traces_batches(callback)
        return bool(callback.update_freq == "epoch" and not every_batch)
    # The progress bar is drawn at the end of the epoch as well.
    return bool(owner == "ProgbarLogger")
