"""The arguments of `Model.fit` that a workload can set, with a stand-in for Keras."""

import sys
from types import SimpleNamespace

import pytest

from keras_bench.worker.fit_settings import epoch_count, of_any_length, settings_of_file
from keras_bench.worker.protocol import Refusal


class Model:
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        shuffle=True,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_freq=1,
    ): ...


class Callback:
    """Keras's, which all others are."""


class CallbackList(Callback):
    def __init__(self, callbacks):
        self.callbacks = callbacks


class BackupAndRestore(Callback):
    """Keras's, which goes on with a training that was broken off."""


class Mine(Callback):
    """A user's own."""


@pytest.fixture(autouse=True)
def keras(monkeypatch):
    kinds = (Callback, CallbackList, BackupAndRestore)
    callbacks = SimpleNamespace(**{kind.__name__: kind for kind in kinds})
    tree = SimpleNamespace(flatten=lambda given: given if isinstance(given, list) else [given])
    stand_in = SimpleNamespace(Model=Model, callbacks=callbacks, tree=tree)
    monkeypatch.setitem(sys.modules, "keras", stand_in)


def settings(**given):
    return of_any_length(settings_of_file("FIT", lambda: given))


def test_settings_are_taken_as_they_are():
    given = {"batch_size": 10, "epochs": 3, "shuffle": False, "validation_data": ([1], [2])}
    assert settings(**given) == given
    assert settings() == {}
    assert settings(steps_per_epoch=None) == {"steps_per_epoch": None}


def test_how_much_is_printed_is_of_no_matter():
    assert settings(verbose=2, epochs=3) == {"epochs": 3}


def test_callbacks_come_as_a_list_of_them():
    one = Mine()
    for given in (one, [one], CallbackList([one])):
        assert settings(callbacks=given) == {"callbacks": [one]}
    for none in (None, []):
        assert settings(callbacks=none) == {}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"y": 1}, r"FIT sets 'y', which comes from data\(\)$"),
        ({"batchsize": 1}, r"FIT sets 'batchsize', .* doesn't take \(it takes 'batch_size'\)$"),
        ({"qwerty": 1}, r"FIT sets 'qwerty', which Model\.fit doesn't take$"),
        ({"epochs": 0}, "FIT has epochs=0 instead of a whole number from 1 on"),
        ({"initial_epoch": -1}, "FIT has initial_epoch=-1 instead of a whole number from 0 on"),
        ({"steps_per_epoch": 0}, "FIT has steps_per_epoch=0 instead of a whole number from 1 on"),
        ({"initial_epoch": 3, "epochs": 3}, "initial_epoch=3 isn't below epochs=3"),
        ({"initial_epoch": 1}, "initial_epoch=1 isn't below epochs=1"),
        ({"validation_freq": [1, 3]}, "validation_freq lists epochs, and more are trained"),
        ({"validation_data": iter([])}, "validation_data is a list_iterator, spent after one"),
        ({"callbacks": [3]}, "FIT has a int among its callbacks, no keras.callbacks.Callback"),
        ({"callbacks": [Mine]}, "FIT has a type among its callbacks"),
        ({"callbacks": BackupAndRestore()}, "FIT has the callback BackupAndRestore, .*leave it"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(given, reason: str):
    with pytest.raises(Refusal, match=f"^{reason}"):
        settings(**given)


def test_an_iterator_validates_so_many_steps_each_time():
    assert "validation_data" in settings(validation_data=iter([]), validation_steps=2)


def test_epochs_are_counted_from_the_initial_one():
    assert [epoch_count(each) for each in ({}, {"epochs": 5})] == [1, 5]
    assert epoch_count({"epochs": 5, "initial_epoch": 3}) == 2
