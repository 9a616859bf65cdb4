"""Trains a fresh model by one call of `Model.fit`, as its user does, from given weights.

Nothing else has touched the model or its process before: so what shows only where `fit` itself
makes the optimizer's variables and the program of a step shows here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_bench.parity.places import EPOCH_END, EPOCH_LOSS, RUNNING_LOSS, Place
from keras_bench.worker.blueprint import variable_names
from keras_bench.worker.compared_data import Examples, compared_examples
from keras_bench.worker.compared_model import kept_variables, random_layers_off
from keras_bench.worker.orders import within_batches
from keras_bench.worker.preparing import Prepared, prepare
from keras_bench.worker.protocol import (
    TRAINING,
    FreeTrainingRequest,
    Observation,
    Refusal,
    Script,
    decode_script,
)
from keras_bench.worker.refusals import refusal
from keras_bench.worker.stages import Arrays, Seen, read, spread_of
from keras_bench.worker.workload import build_model

#: How many other orders of the examples within their batches a training is repeated with.
ORDERS = 4


def train_freely(
    request: FreeTrainingRequest,
    enter: Callable[[str], None],
    reply: Callable[[str, Any], None],
    hear: Callable[[], str],
) -> None:
    """Answer the script "fit", and then "reorder" where it is asked for."""
    prepared = prepare(request, enter)
    examples = compared_examples(prepared, request)
    seen: Seen = {}
    while True:
        script = decode_script(hear())
        enter(TRAINING)
        with np.load(script.file) as given:
            if script.task == "fit":
                answer = seen = _fit(prepared, prepared.model, examples, given, script)
            else:
                answer = _reorder(prepared, examples, given, script, seen)
        seen_file = Path(request.folder) / f"{request.name}-{script.task}.npz"
        np.savez(seen_file, **answer)  # type: ignore[arg-type]
        reply("observation", Observation(str(seen_file)))


def _fit(prepared: Prepared, model: Any, examples: Examples, given: Arrays, script: Script) -> Seen:
    """Return the losses, and the weights and the optimizer's variables after every epoch."""
    chosen = examples.at(given["order/1"])
    listener = _listener(prepared.keras, script)
    try:
        if not model.built:
            model(examples.first(script.batch_size).x)
        names = variable_names(model)
        for weight in model.weights:
            weight.assign(given[f"initial/{names[id(weight)]}"])
        with random_layers_off(model):
            model.fit(
                **chosen.fit_arguments,
                batch_size=script.batch_size,
                epochs=script.epochs,
                shuffle=False,
                verbose=0,
                callbacks=[listener],
            )
    except Refusal:
        raise
    except Exception as error:
        raise refusal("training raises", error) from error
    seen: Seen = listener.seen
    return seen


def _reorder(
    prepared: Prepared, examples: Examples, given: Arrays, script: Script, seen: Seen
) -> Seen:
    """Return, under SPREAD, how far each array of `seen` moves with the order within batches.

    Nothing where that tells nothing of rounding.
    """
    if kept_variables(prepared.keras, prepared.model):
        return {}  # States belong to the places in a batch: another order is another training.

    def train(number: int) -> Seen:
        order = within_batches(given["order/1"], script.batch_size, number)
        prepared.keras.utils.clear_session()  # Its layers get the names of the first ones.
        model = build_model(prepared.parts, prepared.keras)
        return _fit(prepared, model, examples, {**given, "order/1": order}, script)

    try:
        return spread_of(seen, map(train, range(ORDERS)))
    except Refusal:
        return {}  # A file may make its optimizer once and for all, which trains no second model.


def _listener(keras: Any, script: Script) -> Any:
    """Return a callback that keeps what is compared of a training."""
    points = set(script.points)

    class Listener(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.epoch = 0
            self.seen: Seen = {}

        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            self.epoch = epoch + 1

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            if (self.epoch, batch + 1) in points or batch == 0:
                place = Place(self.epoch, batch + 1, RUNNING_LOSS)
                self.seen[place.key] = np.array(float((logs or {})["loss"]))

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            loss = Place(self.epoch, 0, EPOCH_LOSS)
            self.seen[loss.key] = np.array(float((logs or {})["loss"]))
            names = variable_names(self.model)
            for variable in (*self.model.weights, *self.model.optimizer.variables):
                place = Place(self.epoch, 0, EPOCH_END, names[id(variable)])
                self.seen[place.key] = read(keras, variable)

    return Listener()
