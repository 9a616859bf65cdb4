"""Predicts with given weights, and shows how far rounding alone moves what comes of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.worker.data import batch_size
from keras_bench.worker.frameworks import computing_precision
from keras_bench.worker.predicting import first_batch
from keras_bench.worker.preparing import prepare
from keras_bench.worker.protocol import PREDICTING, Predictions, PredictionsRequest
from keras_bench.worker.refusals import refusal

#: Predictions with weights and inputs that are rounded at random.
REPLICAS = 4


def show_predictions(request: PredictionsRequest, enter: Callable[[str], None]) -> Predictions:
    """Predict one batch, leave what came of it in a file, and say which; raise Refusal.

    The file holds the weights and the arrays of the batch ("weight/0", "batch/0"), the outputs
    ("output/0") and the largest distance that rounding moved an element of each ("spread/0").
    """
    prepared = prepare(request, enter)
    keras, model = prepared.keras, prepared.model
    size = batch_size(prepared.parts.fit)
    structure = first_batch(keras, prepared.data, size)
    batch = keras.tree.flatten(structure)
    enter(PREDICTING)

    def predict(weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        model.set_weights(weights)
        packed = keras.tree.pack_sequence_as(structure, inputs)
        outputs = model.predict(packed, batch_size=size, verbose=0)
        return [np.array(each) for each in keras.tree.flatten(outputs)]

    try:
        if not model.built:
            model.predict(structure, batch_size=size, verbose=0)
        weights = [np.array(each) for each in model.get_weights()]
        if request.given is not None:
            weights, batch = _given(request.given)
        outputs = predict(weights, batch)
        precision = computing_precision(request.backend)
        spreads = _spreads(predict, weights, batch, outputs, UNIT_ROUNDOFF[precision])
    except Exception as error:
        raise refusal("predicting raises", error) from error
    arrays: dict[str, np.ndarray] = {}
    named = (("weight", weights), ("batch", batch), ("output", outputs), ("spread", spreads))
    for name, several in named:
        arrays |= {f"{name}/{place}": array for place, array in enumerate(several)}
    np.savez(request.file, **arrays)  # type: ignore[arg-type]
    return Predictions(request.file, precision)


def _given(file: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with np.load(Path(file)) as arrays:

        def those(name: str) -> list[np.ndarray]:
            count = sum(key.startswith(f"{name}/") for key in arrays)
            return [arrays[f"{name}/{place}"] for place in range(count)]

        return those("weight"), those("batch")


def _spreads(
    predict: Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], list[np.ndarray]],
    weights: Sequence[np.ndarray],
    batch: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    unit_roundoff: float,
) -> list[np.ndarray]:
    randomness = np.random.default_rng(0)

    def rounded(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return array
        errors = unit_roundoff * randomness.uniform(-1.0, 1.0, array.shape)
        return np.asarray(array * (1.0 + errors), array.dtype)

    spreads = [np.zeros(()) for _ in outputs]
    for _ in range(REPLICAS):
        replica = predict([rounded(each) for each in weights], [rounded(each) for each in batch])
        moved = [
            np.abs(np.asarray(one, "float64") - other).max()
            for one, other in zip(replica, outputs, strict=True)
        ]
        spreads = [np.maximum(*pair) for pair in zip(spreads, moved, strict=True)]
    return spreads
