"""Trains a model by `fit` and by other loops from one start, and shows what each leaves.

Layers that draw random numbers stay on: the states of their seeds are part of the start, so all
loops of a backend must draw the same.
"""

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_bench.parity.places import EPOCH_END, EPOCH_METRIC, SPREAD, Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.worker.blueprint import value, variable_names
from keras_bench.worker.compared_model import refuse_half_precision
from keras_bench.worker.data import Data, batch_size
from keras_bench.worker.preparing import Prepared, prepare
from keras_bench.worker.protocol import (
    TRAINING,
    LoopParityRequest,
    LoopTraining,
    Observation,
    Refusal,
    Workload,
)
from keras_bench.worker.refusals import refusal
from keras_bench.worker.workload import build_model, load_workload

#: Full batches of an epoch; a shorter one comes after them where the workload's epoch has one.
FULL_BATCHES = 12

#: Trainings by `fit` with numbers that are rounded at random.
REPLICAS = 4

#: How much more coarsely than the numbers' own precision they round. A loop may add up in another
#: order, which errs more than one rounding, and what goes by leaps, an accuracy or a relu's
#: gradient, shows that it could only if a replica comes near the leap from farther away.
COARSENESS = 4.0

#: Of FIT, what doesn't change how an epoch trains, is set here, or acts between epochs alone.
LEFT_OUT = (
    "callbacks", "epochs", "initial_epoch", "sample_weight", "shuffle", "steps_per_epoch",
)  # fmt: skip

#: Loops that write the weights back into the model, and nothing else of Keras.
WEIGHTS_ALONE = ("bare",)

Seen = dict[str, np.ndarray]


def check_loops(
    request: LoopParityRequest,
    enter: Callable[[str], None],
    reply: Callable[[str, Any], None],
    hear: Callable[[], str],
) -> None:
    """Answer with what `fit` leaves and how far rounding moves it, then with what each loop does.

    It goes on until the process is ended.
    """
    subject = _subject(prepare(request, enter), request)
    folder = Path(request.folder)
    enter(TRAINING)
    try:
        seen = subject.train("fit")
        seen |= _spread(seen, subject)
    except Refusal:
        raise
    except Exception as error:
        raise refusal("training raises", error) from error
    reply("observation", Observation(_save(seen, folder / f"{request.backend}-fit.npz")))
    while True:
        loop = hear().strip()
        file = folder / f"{request.backend}-{loop.replace(':', '-')}.npz"
        reply("loop_training", _train_by(loop, subject, file))


@dataclass(frozen=True)
class _Subject:
    """What is trained again and again, each time with a model that is built anew.

    So it starts as the timed training does: with nothing that Keras or a loop keeps of the one
    before. `steps` are those of an epoch.
    """

    keras: Any
    workload: Workload
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    epochs: int
    steps: int
    seed: int

    def train(self, loop: str, randomness: Any = None) -> Seen:
        """Train by a loop; return the metrics of each epoch, and what the first and the last leave.

        With randomness, what goes into an epoch is rounded at random.
        """
        from keras_bench.loops.named import training_by

        self.keras.utils.clear_session()  # Names are counted from the start again.
        self.keras.utils.set_random_seed(self.seed)
        # What stands in the workload's file belongs to one model, too: an optimizer, say.
        model = build_model(load_workload(self.workload), self.keras)
        seen: Seen = {}
        data, callbacks = self.data, []
        if loop not in WEIGHTS_ALONE:
            callbacks.append(self._reading(seen))
        if randomness is not None:
            data = self.keras.tree.map_structure(lambda each: self._rounded(each, randomness), data)
            callbacks.append(self._rounding(randomness))
        history = training_by(loop, model)(
            **data,
            **self.settings,
            epochs=self.epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        precision = self.keras.config.floatx()
        for name, values in history.history.items():
            for epoch, each in enumerate(values, start=1):
                seen[Place(epoch, 0, EPOCH_METRIC, name).key] = np.asarray(each, precision)
        left = model.weights if loop in WEIGHTS_ALONE else _variables(model)
        return seen | self._state(model, self.epochs, left)

    def _state(self, model: Any, epoch: int, variables: Iterable[Any]) -> Seen:
        """Return the values of these variables of a model, at the end of an epoch."""
        names = variable_names(model)
        return {
            Place(epoch, 0, EPOCH_END, names[id(variable)]).key: self._read(variable)
            for variable in variables
        }

    def _read(self, variable: Any) -> np.ndarray:
        return np.array(value(self.keras, variable))

    def _reading(self, seen: Seen) -> Any:
        """Return a callback that adds what the first epoch leaves.

        Later ones may be far apart by rounding alone, and then hide a fault.
        """
        subject = self

        class Reading(self.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
            def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
                if epoch == 0:
                    seen.update(subject._state(self.model, 1, _variables(self.model)))

        return Reading()

    def _rounding(self, randomness: Any) -> Any:
        subject = self

        class Rounding(self.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
            def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
                for variable in _variables(self.model):
                    rounded = subject._rounded(subject._read(variable), randomness, subject.steps)
                    variable.assign(rounded)

        return Rounding()

    def _rounded(self, array: np.ndarray, randomness: Any, times: int = 1) -> np.ndarray:
        """Return an array with the random relative errors of so many roundings, added as roots.

        Whole numbers stay, which are exact, and may be the numbers of words.
        """
        if array.dtype.kind != "f":
            return array
        size = COARSENESS * UNIT_ROUNDOFF[self.keras.config.floatx()] * times**0.5
        errors = size * randomness.uniform(-1.0, 1.0, array.shape)
        return np.asarray(np.where(array == np.rint(array), array, array * (1.0 + errors)))


def _subject(prepared: Prepared, request: LoopParityRequest) -> _Subject:
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
    return _Subject(keras, request.workload, arrays, kept, request.epochs, steps, request.seed)


def _variables(model: Any) -> list[Any]:
    """Return all that a training may change: weights, states of seeds, the optimizer's."""
    return [*model.variables, *model.optimizer.variables]


def _examples(data: Data, settings: Mapping[str, Any], seed: int) -> np.ndarray:
    """Return which examples an epoch trains on, in their order."""
    size = batch_size(settings)
    full, rest = divmod(data.examples, size)
    count = min(full, FULL_BATCHES) * size + rest
    # Data are often sorted by class, and the first few then of one.
    return np.random.default_rng(seed).permutation(data.examples)[:count]


def _spread(seen: Seen, subject: _Subject) -> Seen:
    """Return how far the replicas move an element of each array at most."""
    randomness = np.random.default_rng(0)
    spread: dict[str, float] = {}
    for _ in range(REPLICAS):
        for key, array in subject.train("fit", randomness).items():
            moved = np.abs(array.astype("float64") - seen[key]).max(initial=0.0)
            # Unlike max(), it keeps what is no number.
            spread[SPREAD + key] = float(np.maximum(moved, spread.get(SPREAD + key, 0.0)))
    return {key: np.array(each) for key, each in spread.items()}


def _train_by(loop: str, subject: _Subject, file: Path) -> LoopTraining:
    from keras_bench.loops.refusals import LoopRefusal

    try:
        return LoopTraining(file=_save(subject.train(loop), file))
    except LoopRefusal as reason:
        return LoopTraining(refusal=str(reason))
    except Exception as error:
        return LoopTraining(
            error=str(refusal("training raises", error)), traceback=traceback.format_exc()
        )


def _save(seen: Seen, file: Path) -> str:
    np.savez(file, **seen)  # type: ignore[arg-type]
    return str(file)
