"""An epoch of a Keras model as one program of torch's: a loop over a graph of its `train_step`."""

from typing import Any

import keras
import torch

from bench.loops.torch_trace import TracedStep


class FusedSteps:
    """Trains on batches of one shape in one call, and on others by the model's own step."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._last_logs: Any = {}
        self._traced: TracedStep | None = None
        self._shapes: Any = None
        self._in_epoch = False
        if int(model.optimizer.iterations) == 0:
            # Where `fit` builds what is trained for the first time, it looks at a batch.
            _make_loader()

    def train(self, batches: Any) -> None:
        if not self._in_epoch:
            _make_loader()
            self._in_epoch = True
        batches = keras.tree.map_structure(
            lambda each: None if each is None else keras.ops.convert_to_tensor(each), batches
        )
        steps = len(keras.tree.flatten(batches)[0])
        self._model.train()
        shapes = keras.tree.map_structure(lambda a: None if a is None else a.shape[1:], batches)
        if self._traced is None:
            self._traced = TracedStep(self._model, _batch(batches, 0))
            self._shapes = shapes
        step = self._traced if shapes == self._shapes else self._model.train_step
        for index in range(steps):
            self._last_logs = step(_batch(batches, index))
        self._model.eval()

    def logs(self) -> dict[str, float]:
        if self._in_epoch:
            _make_loader()
            self._in_epoch = False
        return dict(self._model._get_metrics_result_or_logs(self._last_logs))


def _make_loader() -> None:
    """Draw the number that `torch.utils.data.DataLoader` draws, shuffling or not.

    `fit` makes one at each epoch's begin and at its end. Layers without a seed draw from the same
    generator, so that what they draw depends on it.
    """
    torch.empty((), dtype=torch.int64).random_()


def _batch(batches: Any, index: int) -> Any:
    """Return one of the batches, in the form in which `fit` gives it to `train_step`."""
    return keras.utils.pack_x_y_sample_weight(
        *keras.tree.map_structure(lambda each: None if each is None else each[index], batches)
    )
