"""Whether backends predict the same from the same weights, next to what rounding explains.

There is no other reference here than the backends themselves: the median of those that compute in
float32, and of two the other one. So of two that differ, neither is known to be the one that errs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bench.parity.deviations import SAFETY
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.records import Parity

#: What a model is written in; a backend may compute in less.
USUAL_PRECISION = "float32"


@dataclass(frozen=True)
class Prediction:
    """The outputs of a model for one batch, and how far rounding moves an element of each.

    The spread is that of rounding in `precision`, in which the backend computes.
    """

    outputs: tuple[np.ndarray, ...]
    spreads: tuple[float, ...]
    precision: str = USUAL_PRECISION


def judge_predictions(predictions: Mapping[str, Prediction]) -> dict[str, Parity]:
    """Return what is to be said of each backend's predictions, by the names given here."""
    if len(predictions) < 2:
        alone = "is unchecked: there is no other backend to compare its predictions with"
        return {name: Parity("unchecked", f"{name} {alone}") for name in predictions}
    shapes = {name: tuple(each.shape for each in its.outputs) for name, its in predictions.items()}
    usual_shapes, _ = Counter(shapes.values()).most_common(1)[0]
    if odd := [name for name in shapes if shapes[name] != usual_shapes]:
        what = "its outputs have other shapes than those of most"
        others = {name: its for name, its in predictions.items() if name not in odd}
        return judge_predictions(others) | {
            name: Parity("differs", f"{name} predicts something else: {what}") for name in odd
        }
    usual = {name: its for name, its in predictions.items() if its.precision == USUAL_PRECISION}
    known = usual or predictions

    def reference_of(name: str) -> Prediction:
        # The median of two lies between them, and would halve what they are apart.
        others = {other: its for other, its in known.items() if len(known) > 2 or other != name}
        return _median(list((others or known).values()))

    found = {name: _judge(name, its, reference_of(name)) for name, its in predictions.items()}
    odd = [name for name, parity in found.items() if parity.outcome == "differs"]
    if 2 * len(odd) >= len(found):
        doubt = "; most backends don't agree, so any may be the one that is off"
        found |= {name: Parity("differs", found[name].summary + doubt) for name in odd}
    return found


def _median(predictions: Sequence[Prediction]) -> Prediction:
    """Return the middle of several, by elements."""
    outputs = zip(*(each.outputs for each in predictions), strict=True)
    spreads = zip(*(each.spreads for each in predictions), strict=True)
    return Prediction(
        # Of three, one that is no number mustn't decide.
        tuple(
            np.median(np.nan_to_num(np.stack(several).astype("float64"), nan=np.inf), axis=0)
            for several in outputs
        ),
        tuple(float(np.median(np.nan_to_num(several))) for several in spreads),
    )


def _judge(name: str, seen: Prediction, reference: Prediction) -> Parity:
    deviations = [
        _deviation(output, truth, usual, own)
        for output, truth, usual, own in zip(
            seen.outputs, reference.outputs, reference.spreads, seen.spreads, strict=True
        )
    ]
    if all(off <= usual for off, usual, _ in deviations):
        return Parity("agrees", f"{name} agrees to rounding")
    off, usual, own = max(deviations, key=lambda each: each[0] / max(each[1:]))
    if seen.precision != USUAL_PRECISION and off <= own:
        return Parity(
            "explained",
            f"{name} differs for a known reason: it computes in {seen.precision} (its predictions"
            f" are off by {off:.1e}, and that explains {own:.1e})",
        )
    return Parity(
        "differs",
        f"{name} predicts something else: off by {off:.1e}, and rounding explains"
        f" {max(usual, own):.1e}",
    )


def _deviation(
    output: np.ndarray, truth: np.ndarray, usual: float, own: float
) -> tuple[float, float, float]:
    """Return how far an output is off, and what rounding explains of that: usually, and its own.

    All are relative to the largest element of the reference.
    """
    scale = float(np.abs(truth).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):  # Infinity less infinity.
        distance = np.abs(output.astype("float64") - truth)
    # One that is no number is infinitely off, and never agrees.
    off = float(np.where(np.isfinite(distance), distance, np.inf).max(initial=0.0))
    least = UNIT_ROUNDOFF["float32"] * scale
    return off / scale, SAFETY * max(usual, least) / scale, SAFETY * max(own, usual, least) / scale
