"""Which loops a release of Keras can do is asked of Keras; a fake one answers here."""

import runpy
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from project import SOURCES

from keras_bench.loops.refusals import LoopRefusal

#: As of Keras 3.15 on torch.
REFUSAL = "`steps_per_execution` must be 1 with the PyTorch backend.\nReceived: 32"


@pytest.fixture
def training_by(monkeypatch) -> Callable[..., Any]:
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(__version__="3.99.0"))
    # Not imported: other tests would have the fake Keras, too.
    return runpy.run_path(str(SOURCES / "keras_bench" / "loops" / "named.py"))["training_by"]


class Model:
    """Stands for a compiled model of Keras's, and raises what Keras does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.steps_per_execution = 1
        self.train_function: Any = None
        self._error = error

    def make_train_function(self) -> None:
        if self._error is not None and self.steps_per_execution > 1:
            raise self._error
        self.train_function = "made before the model is built"

    def fit(self) -> tuple[int, Any]:
        return self.steps_per_execution, self.train_function


def test_several_steps_are_taken_where_keras_takes_them(training_by):
    assert training_by("fit:32", Model())() == (32, None)


def test_several_steps_are_refused_in_keras_own_words(training_by):
    with pytest.raises(LoopRefusal) as refused:
        training_by("fit:32", Model(ValueError(REFUSAL)))
    assert str(refused.value) == (
        "Keras 3.99.0 refuses it"
        " (`steps_per_execution` must be 1 with the PyTorch backend. Received: 32)"
    )


def test_one_step_is_asked_of_nobody(training_by):
    assert training_by("fit", Model(ValueError(REFUSAL)))() == (1, None)
