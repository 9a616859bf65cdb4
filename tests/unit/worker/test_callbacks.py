"""What a workload's callbacks are told, and which of them hold a training up."""

import sys
from types import SimpleNamespace

import pytest

from keras_bench.worker.callbacks import tell_epochs_of_fit, waiting_for_batches


class Recorder:
    def __init__(self):
        self.heard = []

    def set_params(self, params):
        self.heard.append(params)

    def on_epoch_begin(self, epoch, logs=None):
        self.heard.append(("begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append(("end", epoch, logs))


def test_a_callback_hears_of_the_epochs_of_fit_again_and_again():
    callback = Recorder()
    tell_epochs_of_fit(callback, 3, 5)
    callback.set_params({"epochs": 1000, "steps": 7})
    for epoch in (3, 4, 5):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": epoch})
    assert callback.heard == [
        {"epochs": 5, "steps": 7},
        ("begin", 3), ("end", 3, {"loss": 3}),
        ("begin", 4), ("end", 4, {"loss": 4}),
        ("begin", 3), ("end", 3, {"loss": 5}),
    ]  # fmt: skip


class AtEpochs:
    """Without a hook at batches."""


class AtBatches:
    """With one."""


@pytest.mark.parametrize(
    ("is_asynchronous", "expected"), [(True, ("AtBatches",)), (False, ()), (None, ())]
)
def test_keras_tells_for_which_callbacks_it_waits(monkeypatch, is_asynchronous, expected):
    class CallbackList:
        def __init__(self, callbacks):
            if is_asynchronous is not None:  # An older Keras doesn't tell.
                at_batches = any(isinstance(each, AtBatches) for each in callbacks)
                self._async_train = is_asynchronous and not at_batches

    stand_in = SimpleNamespace(callbacks=SimpleNamespace(CallbackList=CallbackList))
    monkeypatch.setitem(sys.modules, "keras", stand_in)
    assert waiting_for_batches([AtEpochs(), AtBatches(), AtBatches()]) == expected
    assert waiting_for_batches([]) == ()
