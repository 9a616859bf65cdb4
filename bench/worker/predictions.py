"""Predicts with given weights, and shows how far rounding alone moves what comes of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.worker.frameworks import computing_precision, import_keras
from bench.worker.predicting import batch_size, first_batch
from bench.worker.protocol import (
    STAGES_BEFORE,
    Predictions,
    PredictionsRequest,
    Refusal,
    one_line,
)
from bench.worker.workload import build_model, load_workload, make_data

#: Predictions with weights and inputs that are rounded at random.
REPLICAS = 4

#: The largest relative error of a rounding, by the precision that a backend computes in.
UNIT_ROUNDOFF = {"float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}


def show_predictions(request: PredictionsRequest, enter: Callable[[str], None]) -> Predictions:
    """Predict one batch, leave what came of it in a file, and say which; raise Refusal.

    The file holds the weights and the batch ("weight/0", "batch"), the outputs ("output/0") and the
    largest distance that rounding moved an element of each ("spread/0").
    """
    importing, loading, building = STAGES_BEFORE
    enter(importing)
    keras = import_keras(request)
    enter(loading)
    parts = load_workload(request.workload)
    keras.utils.set_random_seed(request.seed)
    x, _ = make_data(parts, request.seed)
    batch = np.asarray(first_batch(x, batch_size(parts)))
    enter(building)
    model = build_model(parts, keras)
    enter("predicting")

    def predict(weights: Sequence[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
        model.set_weights(weights)
        outputs = model.predict(inputs, batch_size=len(inputs), verbose=0)
        return [np.array(each) for each in keras.tree.flatten(outputs)]

    try:
        if not model.built:
            model.predict(batch, batch_size=len(batch), verbose=0)
        weights = [np.array(each) for each in model.get_weights()]
        if request.given is not None:
            weights, batch = _given(request.given)
        outputs = predict(weights, batch)
        precision = computing_precision(request.backend)
        spreads = _spreads(predict, weights, batch, outputs, UNIT_ROUNDOFF[precision])
    except Exception as error:
        raise Refusal("workload", f"predicting raises {one_line(error)}") from error
    arrays = {"batch": batch}
    for name, several in (("weight", weights), ("output", outputs), ("spread", spreads)):
        arrays |= {f"{name}/{place}": array for place, array in enumerate(several)}
    np.savez(request.file, **arrays)  # type: ignore[arg-type]
    return Predictions(request.file, precision)


def _given(file: str) -> tuple[list[np.ndarray], np.ndarray]:
    with np.load(Path(file)) as arrays:
        count = sum(name.startswith("weight/") for name in arrays)
        return [arrays[f"weight/{place}"] for place in range(count)], arrays["batch"]


def _spreads(
    predict: Callable[[Sequence[np.ndarray], np.ndarray], list[np.ndarray]],
    weights: Sequence[np.ndarray],
    batch: np.ndarray,
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
        replica = predict([rounded(each) for each in weights], rounded(batch))
        moved = [
            np.abs(np.asarray(one, "float64") - other).max()
            for one, other in zip(replica, outputs, strict=True)
        ]
        spreads = [np.maximum(*pair) for pair in zip(spreads, moved, strict=True)]
    return spreads
