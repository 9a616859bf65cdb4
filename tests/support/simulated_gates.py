"""The verdicts of thousands of gates at once, and the noises that their rounds have."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from builders import LAST_LOOK
from scipy import stats

from keras_bench.analyze.sequential import LOOKS
from keras_bench.analyze.verdict import Judgement, judge

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Shape = int | tuple[int, ...]
Noise = Callable[[np.random.Generator, Shape], FloatArray]

#: As many as the last look needs, and as many again to confirm a change.
MOST_ROUNDS = 2 * LAST_LOOK
CODES = {"improved": -1, "undecided": 0, "regressed": 1, "unchanged": 2}


def normal(deviation: float) -> Noise:
    return lambda generator, shape: generator.normal(0, deviation, shape)


def heavy_tails(generator: np.random.Generator, shape: Shape) -> FloatArray:
    return 0.01 * generator.standard_t(3, shape)


def stalls(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """One round in twenty is off by a fifth or so, to the cost of either side."""
    off = generator.exponential(0.2, shape) * generator.choice([-1, 1], shape)
    return generator.normal(0, 0.01, shape) + (generator.random(shape) < 0.05) * off


def two_modes(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """Every process has one of two speeds, 3 % apart."""
    apart = generator.integers(0, 2, shape) - generator.integers(0, 2, shape)
    return generator.normal(0, 0.005, shape) + 0.03 * apart


NOISES = {
    "0.5 %": normal(0.005),
    "1 %": normal(0.01),
    "2 %": normal(0.02),
    "3 %": normal(0.03),
    "heavy tails": heavy_tails,
    "stalls": stalls,
    "two modes": two_modes,
}


def looks(series: FloatArray, threshold: float) -> tuple[IntArray, IntArray]:
    """Return what each series' looks come to, and after how many rounds."""
    verdicts = np.zeros(len(series), int)
    rounds = np.full(len(series), LAST_LOOK)
    most = math.log1p(threshold)
    for looked in LOOKS:
        mean = series[:, :looked].mean(axis=1)
        error = series[:, :looked].std(axis=1, ddof=1) / math.sqrt(looked)
        margin = stats.t.isf(0.05 / 2 / len(LOOKS), looked - 1) * error
        said = np.select(
            [
                (mean - margin > -most) & (mean + margin < most),
                (mean - margin > 0) & (mean >= most / 2),
                (mean + margin < 0) & (mean <= -most / 2),
            ],
            [CODES["unchanged"], CODES["regressed"], CODES["improved"]],
            CODES["undecided"],
        )
        deciding = (verdicts == 0) & (said != 0)
        verdicts[deciding], rounds[deciding] = said[deciding], looked
    return verdicts, rounds


def verdicts_and_rounds(series: FloatArray, threshold: float) -> tuple[IntArray, IntArray]:
    """Return the final verdict of each gate, and the rounds that it took."""
    first, shown = looks(series, threshold)
    verdicts, rounds = first.copy(), shown.copy()
    for change in (CODES["regressed"], CODES["improved"]):
        for looked in LOOKS:
            chosen = np.flatnonzero((first == change) & (shown == looked))
            fresh = series[chosen, looked : looked + LAST_LOOK]
            second, more = looks(fresh, threshold)
            agree = (second == change) | (second == CODES["unchanged"])
            verdicts[chosen] = np.where(agree, second, CODES["undecided"])
            rounds[chosen] += more
    return verdicts, rounds


def how_many(verdicts: IntArray, name: str) -> int:
    return int((verdicts == CODES[name]).sum())


def final_judgement(log_ratios: Sequence[float], threshold: float) -> Judgement:
    """Return the judgement of a gate that ends as soon as it is final."""
    for rounds in range(len(log_ratios) + 1):
        judgement = judge(log_ratios[:rounds], threshold)
        if judgement.final:
            return judgement
    raise AssertionError("never final")
