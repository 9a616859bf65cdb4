"""What loops are compared on: a model that is built anew for each training, and some batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_bench.parity.places import EPOCH_END, EPOCH_METRIC, SPREAD, Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.worker.blueprint import value, variable_names
from keras_bench.worker.compared_model import refuse_half_precision
from keras_bench.worker.data import Data, batch_size
from keras_bench.worker.preparing import Prepared
from keras_bench.worker.protocol import LoopParityRequest, Refusal, Workload
from keras_bench.worker.workload import build_model, load_workload

#: Full batches of an epoch; a shorter one comes after them where the workload's epoch has one.
FULL_BATCHES = 12

#: How much more coarsely than the numbers' own precision replicas round. A loop may add up in
#: another order, which errs more than one rounding, and what goes by leaps, an accuracy or a relu's
#: gradient, shows that it could only if a replica comes near the leap from farther away.
COARSENESS = 4.0

#: Of FIT, what doesn't change how an epoch trains, is set here, or acts between epochs alone.
LEFT_OUT = (
    "callbacks", "epochs", "initial_epoch", "sample_weight", "shuffle", "steps_per_epoch",
)  # fmt: skip

#: Loops that write the weights back into the model, and nothing else of Keras.
WEIGHTS_ALONE = ("bare",)

Seen = dict[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """What is trained again and again, each time with a model that is built anew.

    So it starts as the timed training does: with nothing that Keras or a loop keeps of the one
    before. An epoch is so many `steps`, of as many examples as `batch_size`.
    """

    keras: Any
    workload: Workload
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    epochs: int
    steps: int
    batch_size: int
    seed: int

    def train(self, loop: str, randomness: Any = None) -> Seen:
        """Train by a loop; return the metrics of each epoch, and what the first and the last leave.

        With randomness, what goes into an epoch is rounded at random.
        """
        from keras_bench.loops.named import training_by

        model = self.build()
        seen: Seen = {}
        data, callbacks = self.data, []
        if loop not in WEIGHTS_ALONE:
            callbacks.append(self._reading(seen))
        if randomness is not None:
            data = self.keras.tree.map_structure(lambda each: self.rounded(each, randomness), data)
            callbacks.append(self._rounding(randomness))
        history = training_by(loop, model)(
            **data,
            **self.settings,
            epochs=self.epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        seen |= self.metrics(history)
        return seen | self.left(model, loop, Place(self.epochs, 0, EPOCH_END))

    def build(self) -> Any:
        """Return the model as a training begins with it."""
        self.keras.utils.clear_session()  # Names are counted from the start again.
        self.keras.utils.set_random_seed(self.seed)
        # What stands in the workload's file belongs to one model, too: an optimizer, say.
        return build_model(load_workload(self.workload), self.keras)

    def batch(self, step: int) -> dict[str, Any]:
        """Return the examples of a step of an epoch, counted from 1, as arguments of `fit`."""
        chosen = slice((step - 1) * self.batch_size, step * self.batch_size)
        return dict(self.keras.tree.map_structure(lambda each: each[chosen], dict(self.data)))

    def metrics(self, history: Any, step: int = 0) -> Seen:
        """Return the metrics of each epoch of a history, or of a step that is trained by itself."""
        precision = self.keras.config.floatx()
        return {
            Place(epoch, step, EPOCH_METRIC, name).key: np.asarray(each, precision)
            for name, values in history.history.items()
            for epoch, each in enumerate(values, start=1)
        }

    def left(self, model: Any, loop: str, place: Place) -> Seen:
        """Return the values of what a loop keeps of a model, as seen at a time of training."""
        names = variable_names(model)
        kept = model.weights if loop in WEIGHTS_ALONE else variables(model)
        return {replace(place, subject=names[id(each)]).key: self.read(each) for each in kept}

    def read(self, variable: Any) -> np.ndarray:
        """Return a copy of the value of a variable."""
        return np.array(value(self.keras, variable))

    def rounded(self, array: np.ndarray, randomness: Any, times: int = 1) -> np.ndarray:
        """Return an array with the random relative errors of so many roundings, added as roots.

        Whole numbers stay, which are exact, and may be the numbers of words.
        """
        if array.dtype.kind != "f":
            return array
        size = COARSENESS * UNIT_ROUNDOFF[self.keras.config.floatx()] * times**0.5
        errors = size * randomness.uniform(-1.0, 1.0, array.shape)
        return np.asarray(np.where(array == np.rint(array), array, array * (1.0 + errors)))

    def _reading(self, seen: Seen) -> Any:
        """Return a callback that adds what the first epoch leaves.

        Later ones may be far apart by rounding alone, and then hide a fault.
        """
        subject = self

        class Reading(self.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
            def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
                if epoch == 0:
                    seen.update(subject.left(self.model, "fit", Place(1, 0, EPOCH_END)))

        return Reading()

    def _rounding(self, randomness: Any) -> Any:
        subject = self

        class Rounding(self.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
            def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
                for variable in variables(self.model):
                    rounded = subject.rounded(subject.read(variable), randomness, subject.steps)
                    variable.assign(rounded)

        return Rounding()


def subject_of(prepared: Prepared, request: LoopParityRequest) -> Subject:
    """Return what is trained: the workload, and some batches of its data."""
    keras, data = prepared.keras, prepared.data
    if data.is_source:
        reason = f"data() returns a {type(data.x).__name__}"
        raise Refusal("unchecked", f"a loop is compared with fit on arrays, and {reason}")
    refuse_half_precision(prepared.model)
    settings = dict(prepared.parts.fit)
    size = batch_size(settings)
    chosen = _examples(data, settings, request.seed)
    arrays = {
        name: keras.tree.map_structure(lambda each: np.asarray(each)[chosen], structure)
        for name, structure in data.fit_arguments.items()
    }
    kept = {
        name: each
        for name, each in settings.items()
        if name not in LEFT_OUT and not name.startswith("validation_")
    }
    steps = -(-len(chosen) // size)
    if settings.get("steps_per_epoch") is not None:
        kept["steps_per_epoch"] = steps
    return Subject(keras, request.workload, arrays, kept, request.epochs, steps, size, request.seed)


def variables(model: Any) -> list[Any]:
    """Return all that a training may change: weights, states of seeds, the optimizer's."""
    return [*model.variables, *model.optimizer.variables]


def spread_of_all(seen: Seen, replicas: Iterable[Seen]) -> Seen:
    """Return, under SPREAD, how far replicas move an element of each array at most."""
    spread: dict[str, float] = {}
    for replica in replicas:
        for key, array in replica.items():
            moved = np.abs(array.astype("float64") - seen[key]).max(initial=0.0)
            # Unlike max(), it keeps what is no number.
            spread[SPREAD + key] = float(np.maximum(moved, spread.get(SPREAD + key, 0.0)))
    return {key: np.array(each) for key, each in spread.items()}


def _examples(data: Data, settings: Mapping[str, Any], seed: int) -> np.ndarray:
    """Return which examples an epoch trains on, in their order."""
    size = batch_size(settings)
    full, rest = divmod(data.examples, size)
    count = min(full, FULL_BATCHES) * size + rest
    # Data are often sorted by class, and the first few then of one.
    return np.random.default_rng(seed).permutation(data.examples)[:count]
