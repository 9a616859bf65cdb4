"""Predicts one batch with one arm's model, and times the calls of `Model.predict`."""

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np

from keras_bench.records import Sample
from keras_bench.worker.data import Data, batch_size
from keras_bench.worker.preparing import prepare
from keras_bench.worker.protocol import PREDICTING, PredictingRequest, Refusal
from keras_bench.worker.refusals import refusal
from keras_bench.worker.sampling import sample_of
from keras_bench.worker.stamps import Stamps

#: How long the calls after the first are warm-up: JAX and OpenVINO become faster for some calls.
WARMUP_SECONDS = 0.2

#: Calls of less are timed in blocks of this length: a process sends back hundreds of figures, not
#: thousands, and the clock of the CPU time has become fine enough.
BLOCK_SECONDS = 0.01


def predict(
    request: PredictingRequest, enter: Callable[[str], None], begin: Callable[[], Stamps]
) -> Sample:
    """Predict as the request says and return the sample; raise Refusal for the user's faults.

    `begin` blocks until the predicting may begin, and returns the stamps for its blocks of calls.
    """
    prepared = prepare(request, enter)
    size = batch_size(prepared.parts.fit)
    batch = first_batch(prepared.keras, prepared.data, size)

    stamps = begin()
    enter(PREDICTING)
    calls = _Calls(prepared.model, batch, size, stamps)
    try:
        _repeat(calls)
    except Exception as error:
        raise refusal("predicting raises", error) from error

    return sample_of(
        prepared,
        request.backend,
        epoch_seconds=calls.stamps.seconds,
        epoch_cpu_seconds=calls.stamps.cpu_seconds,
        examples=size,
        calls_per_block=calls.per_block,
    )


def first_batch(keras: Any, data: Data, size: int) -> Any:
    """Return the first so many examples, from the start again where there are fewer."""
    if data.is_source:
        reason = f"predicting takes the first examples of arrays, not of a {type(data.x).__name__}"
        raise Refusal("workload", reason, "let data() return arrays")

    def first(array: Any) -> np.ndarray:
        return np.asarray(array)[[place % len(array) for place in range(size)]]

    return keras.tree.map_structure(first, data.x)


class _Calls:
    """Calls `Model.predict`, and keeps what a call of each block took."""

    def __init__(self, model: Any, batch: Any, size: int, stamps: Stamps) -> None:
        self._model = model
        self._batch = batch
        self._size = size
        self.per_block = 1
        self.stamps = stamps

    def time_block(self, go_on: Callable[[int, float], bool]) -> bool:
        """Call until `go_on` says no to the number of calls so far and the seconds they took.

        Returns whether another block is wanted.
        """
        model, batch, size = self._model, self._batch, self._size
        count = 0
        start = monotonic()
        self.stamps.begin()
        while True:
            # One batch, whatever its size: Keras would cut a larger one into batches of 32.
            model.predict(batch, batch_size=size, verbose=0)
            count += 1
            if not go_on(count, monotonic() - start):
                return self.stamps.end(count)


def _repeat(calls: _Calls) -> None:
    """Time the first call, the warm-up, and then blocks of calls until it is enough."""
    calls.time_block(lambda count, seconds: False)
    calls.time_block(lambda count, seconds: seconds < WARMUP_SECONDS)
    calls.per_block = max(1, math.ceil(BLOCK_SECONDS / calls.stamps.seconds[-1]))
    while calls.time_block(lambda count, seconds: count < calls.per_block):
        pass
