"""Trains with a call of `Model.train_on_batch` for every batch: `fit_batch`."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import keras

from keras_bench.loops.epochs import fit_by
from keras_bench.loops.examples import arrays_of, take


def fit_batch(model: Any, x: Any, y: Any = None, **settings: Any) -> Any:
    """Train as `Model.fit` does, a batch a call, and return the `keras.callbacks.History`."""
    return fit_by(BatchSteps, model, x, y, **settings)


class BatchSteps:
    """Trains by a call for every batch.

    From Keras 3.15 on, `train_on_batch` resets the metrics before each batch. Here they gather
    over the epoch, as they did before and do under `fit`: an AUC is no mean of the batches'. On
    torch it draws what the loaders of `fit` do, so that layers without a seed drop the same units.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Mapping[str, Any] = {}
        self._loaders = _loaders(model)

    def train(self, batches: Any) -> None:
        model = self._model
        if self._loaders is not None:
            self._loaders.begin_epoch()
        steps = len(arrays_of(batches)[0])
        with patch.object(model, "reset_metrics", lambda: None):
            for step in range(steps):
                x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(take(batches, step))
                self._last_logs = model.train_on_batch(
                    x, y, sample_weight=sample_weight, return_dict=True
                )

    def logs(self) -> Mapping[str, Any]:
        if self._loaders is not None:
            self._loaders.end_epoch()
        return self._last_logs


def _loaders(model: Any) -> Any:
    """Return what draws beside the training as `fit` does; None but on torch."""
    if keras.backend.backend() != "torch":
        return None
    from keras_bench.loops.torch_loaders import LoadersOfFit

    return LoadersOfFit(model)
