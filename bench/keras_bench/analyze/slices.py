"""What rounds in slices have shown: how long slices have to be, and what the machine did."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bench.analyze.steady import process_epoch
from keras_bench.records import Arm, ArmResult, Sample


def known_slice_seconds(results: Sequence[ArmResult]) -> dict[Arm, float]:
    """Return how long the slices of arms have to be, as their latest round has found it.

    Infinite where slices end with epochs.
    """
    return {
        result.arm: math.inf if last.slice_seconds is None else last.slice_seconds
        for result in results
        if result.samples
        for last in [result.samples[-1]]
        if last.method == "slices"
    }


@dataclass(frozen=True)
class Weather:
    """What the machine's speed did while several arms were measured in slices.

    `speed_deviation` is the standard deviation of an arm's epoch from round to round, and
    `ratio_deviation` that of the ratios of a round, each as a share of the whole. `sliced_to_free`
    is an epoch in slices ÷ one without, the geometric mean of the arms it was seen for: that of a
    single arm is mostly what the machine did in between.
    """

    speed_deviation: float
    ratio_deviation: float
    sliced_to_free: float | None


def weather(groups: Iterable[Sequence[ArmResult]]) -> Weather | None:
    """Return what the machine did, None where no two arms have two rounds in common.

    Args:
        groups: the arms that were measured together.
    """
    speeds: list[float] = []
    ratios: list[float] = []
    factors: list[float] = []
    for group in groups:
        sliced = [each for each in group if _is_sliced(each)]
        if len(sliced) < 2:
            continue
        first, *others = [_logs(each.samples) for each in sliced]
        samples = [sample for each in sliced for sample in each.samples]
        factors += [
            math.log(each.sliced_to_free) for each in samples if each.sliced_to_free is not None
        ]
        speeds += [_variance(list(logs.values())) for logs in (first, *others) if len(logs) > 1]
        for logs in others:
            common = [logs[number] - first[number] for number in logs if number in first]
            if len(common) > 1:
                ratios.append(_variance(common))
    if not ratios:
        return None
    return Weather(
        math.sqrt(np.mean(speeds)),
        math.sqrt(np.mean(ratios)),
        math.exp(np.mean(factors)) if factors else None,
    )


@dataclass(frozen=True)
class RoundSpeed:
    """What an epoch of an arm took in a round, ÷ its geometric mean over all its rounds."""

    arm: Arm
    round: int
    relative_epoch: float


def speeds_by_round(group: Sequence[ArmResult]) -> list[RoundSpeed]:
    """Return how fast each arm of a group was in each round, by its own mean.

    Where the lines of all arms move together, it was the machine that changed its speed. Empty
    where no two arms were measured in two rounds in slices.
    """
    of_arms = {each.arm: _logs(each.samples) for each in group if _is_sliced(each)}
    of_arms = {arm: logs for arm, logs in of_arms.items() if len(logs) > 1}
    if len(of_arms) < 2:
        return []
    return [
        RoundSpeed(arm, number, math.exp(log - np.mean(list(logs.values()))))
        for arm, logs in of_arms.items()
        for number, log in logs.items()
    ]


def grouped(
    results: Iterable[ArmResult], key: Callable[[Arm], object]
) -> Iterable[Sequence[ArmResult]]:
    """Return the arms that have the same key, together."""
    groups: dict[object, list[ArmResult]] = {}
    for result in results:
        groups.setdefault(key(result.arm), []).append(result)
    return groups.values()


def _is_sliced(result: ArmResult) -> bool:
    return bool(result.samples) and all(each.method == "slices" for each in result.samples)


def _logs(samples: Sequence[Sample]) -> dict[int, float]:
    return {sample.round: math.log(process_epoch(sample)) for sample in samples}


def _variance(logs: Sequence[float]) -> float:
    return float(np.var(logs, ddof=1))
