"""What can be told of a model and of callbacks without a framework."""

from types import SimpleNamespace
from typing import Any

import pytest

from keras_bench.loops.checks import BATCH_HOOKS, batch_hook, refuse_callbacks, refuse_model
from keras_bench.loops.refusals import LoopRefusal


class Callback:
    """Stands for Keras's own."""

    def on_train_batch_begin(self, batch, logs=None): ...

    def on_train_batch_end(self, batch, logs=None): ...

    def on_batch_begin(self, batch, logs=None): ...

    def on_batch_end(self, batch, logs=None): ...


for hook in BATCH_HOOKS:
    getattr(Callback, hook).__module__ = "keras.src.callbacks.callback"


def _of_keras(name: str, **settings: Any) -> Any:
    """A callback of Keras's with work at the end of batches."""

    def on_train_batch_end(self, batch, logs=None): ...

    on_train_batch_end.__module__ = "keras.src.callbacks"
    on_train_batch_end.__qualname__ = f"{name}.on_train_batch_end"
    callback = type(name, (Callback,), {"on_train_batch_end": on_train_batch_end})()
    vars(callback).update(settings)
    return callback


def test_a_callback_at_epochs_has_no_batch_hook():
    class AtEpochs(Callback):
        def on_epoch_end(self, epoch, logs=None): ...

    assert batch_hook(AtEpochs()) is None
    refuse_callbacks([AtEpochs()])


@pytest.mark.parametrize(
    "name", ["on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"]
)
def test_a_callback_at_batches_is_refused_by_its_name(name: str):
    callback = type("Mine", (Callback,), {name: lambda self, batch, logs=None: None})()
    with pytest.raises(LoopRefusal, match=f"Mine.*{name}.*; "):
        refuse_callbacks([Callback(), callback])


@pytest.mark.parametrize("name", ["ModelCheckpoint", "BackupAndRestore", "OrbaxCheckpoint"])
def test_checkpoints_are_taken_where_they_are_written_at_epochs(name: str):
    assert batch_hook(_of_keras(name, save_freq="epoch")) is None
    assert batch_hook(_of_keras(name, save_freq=5)) == "on_train_batch_end"


def test_a_checkpoint_that_is_overridden_at_batches_is_refused():
    kind = type(_of_keras("ModelCheckpoint"))
    callback = type("Mine", (kind,), {"on_train_batch_end": lambda self, batch, logs=None: None})()
    callback.save_freq = "epoch"
    assert batch_hook(callback) == "on_train_batch_end"


@pytest.mark.parametrize(
    ("settings", "hook"),
    [
        ({}, None),
        ({"update_freq": 1}, "on_train_batch_end"),
        ({"write_steps_per_second": True}, "on_train_batch_end"),
        ({"_should_trace": True}, "on_train_batch_end"),
    ],
)
def test_tensorboard_is_taken_where_it_writes_at_epochs(settings: dict[str, Any], hook: str | None):
    quiet = {"update_freq": "epoch", "write_steps_per_second": False, "_should_trace": False}
    assert batch_hook(_of_keras("TensorBoard", **(quiet | settings))) == hook


def test_other_callbacks_of_keras_with_work_at_batches_are_refused():
    assert batch_hook(_of_keras("ProgbarLogger")) is None
    assert batch_hook(_of_keras("TerminateOnNaN")) == "on_train_batch_end"


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ({"compiled": False}, "compile"),
        ({"optimizer": None}, "optimizer"),
        ({"run_eagerly": True}, "run_eagerly"),
        ({"_distribute_strategy": object()}, "strategy"),
    ],
)
def test_models_are_refused_for_what_they_are(what: dict[str, Any], word: str):
    plain = {"compiled": True, "optimizer": object(), "run_eagerly": False}
    refuse_model(SimpleNamespace(**plain))
    with pytest.raises(LoopRefusal, match=f"{word}.*; "):
        refuse_model(SimpleNamespace(**(plain | what)))
