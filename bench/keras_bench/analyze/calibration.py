"""What a gate can see on this machine, from rounds whose true ratio is known.

A calibration measures rounds just as a gate does, of the same environment on both sides, some
with a slowdown of known size on one of them. Gates are then replayed from these rounds in two
ways. In the order they came, each round used once: few gates, but independent ones. And drawn
with replacement: as many gates as one likes, which know of the machine's noise what the measured
rounds know of it, and no more; so their rates come with an interval from drawing the rounds
themselves again (B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

import scipy

from keras_bench.analyze.sequential import LOOKS
from keras_bench.analyze.stats import CONFIDENCE_LEVEL
from keras_bench.analyze.verdict import Judgement, judge
from keras_bench.records import Calibration, CalibrationRound, Clock

#: Thresholds that a recommendation is chosen from.
THRESHOLDS = (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5)

#: Gates drawn for each rate, and how often the rounds are drawn again for a rate's interval.
GATES = 1000
REDRAWS = 100

#: The power that a threshold is to have at a slowdown of its own size.
WANTED_POWER = 0.95


@dataclass(frozen=True)
class Rate:
    """A share of gates with its 95 % interval, and of how many gates."""

    value: float
    low: float
    high: float
    gates: int


@dataclass(frozen=True)
class Power:
    """How gates end where the true slowdown is known.

    `regressed` is the share of drawn gates that say so: the false-alarm rate where the slowdown
    is 0. `in_order` is the same of gates replayed from the rounds in their order, None where
    these make no whole gate. `rounds` is the mean number of rounds until the verdict, `seconds`
    the time of those.
    """

    slowdown: float
    regressed: Rate
    in_order: Rate | None
    rounds: float
    seconds: float


@dataclass(frozen=True)
class Capability:
    """What a gate can do on this machine with one workload and backend.

    `noise` is the standard deviation of the rounds' log ratios, None where they are too few to say
    anything. `smallest_slowdown` is the smallest threshold at which a slowdown of its size is found
    in 95 % of gates, None where none of those tried is. `budget_seconds` is enough for 95 % of the
    gates with that threshold, whether slower or not.
    """

    noise: float | None
    powers: tuple[Power, ...]
    smallest_slowdown: float | None
    budget_seconds: float | None


def capability(calibration: Calibration, threshold: float) -> Capability:
    """Return what gates of this threshold would have said, and the smallest that works."""
    chance, clock = random.Random(calibration.seed), calibration.metric
    kinds = _by_slowdown(calibration.rounds)
    powers = tuple(
        _power(slowdown, rounds, clock, threshold, chance)
        for slowdown, rounds in sorted(kinds.items())
        if len(rounds) > 1
    )
    noise = [residual for rounds in kinds.values() for residual in _residuals(rounds, clock)]
    if len(noise) < LOOKS[0]:
        return Capability(None, powers, None, None)
    round_seconds = fmean(each.seconds for each in calibration.rounds)
    smallest = budget = None
    for size in THRESHOLDS:
        slow = _gates([residual + math.log1p(size) for residual in noise], size, chance, GATES)
        if _share(slow) >= WANTED_POWER:
            lengths = [gate.rounds for gate in (*slow, *_gates(noise, size, chance, GATES))]
            longest = quantiles(lengths, n=20)[-1]
            smallest, budget = size, calibration.parity_seconds + longest * round_seconds
            break
    return Capability(_root_mean_square(noise), powers, smallest, budget)


def _by_slowdown(rounds: Sequence[CalibrationRound]) -> dict[float, list[CalibrationRound]]:
    kinds: dict[float, list[CalibrationRound]] = {}
    for each in rounds:
        kinds.setdefault(each.slowdown, []).append(each)
    return kinds


def _residuals(rounds: Sequence[CalibrationRound], clock: Clock) -> list[float]:
    """Return how far each log ratio is from the mean of its kind, as widely spread as it is."""
    logs = [each.by(clock) for each in rounds]
    if len(logs) < 2:
        return []
    # Residuals are closer to their own mean than to the true one.
    widen = math.sqrt(len(logs) / (len(logs) - 1))
    return [widen * (log - fmean(logs)) for log in logs]


def _root_mean_square(noise: Sequence[float]) -> float:
    return math.sqrt(fmean(residual**2 for residual in noise))


def _power(
    slowdown: float,
    rounds: Sequence[CalibrationRound],
    clock: Clock,
    threshold: float,
    chance: random.Random,
) -> Power:
    logs = [each.by(clock) for each in rounds]
    gates = _gates(logs, threshold, chance, GATES)
    value = _share(gates)
    shares = []
    for _ in range(REDRAWS):
        redrawn = chance.choices(logs, k=len(logs))
        shares.append(_share(_gates(redrawn, threshold, chance, GATES // 4)))
    cuts = quantiles(shares, n=40, method="inclusive")
    low, high = cuts[0], cuts[-1]
    mean_rounds = fmean(gate.rounds for gate in gates)
    return Power(
        slowdown,
        Rate(value, min(low, value), max(high, value), len(gates)),
        _exact(_in_order(logs, threshold)),
        mean_rounds,
        mean_rounds * fmean(each.seconds for each in rounds),
    )


def _share(gates: Sequence[Judgement]) -> float:
    return fmean(gate.verdict == "regressed" for gate in gates)


def _gates(
    logs: Sequence[float], threshold: float, chance: random.Random, number: int
) -> list[Judgement]:
    """Return gates whose rounds are drawn with replacement, until each is final."""
    return [judge(chance.choices(logs, k=2 * LOOKS[-1]), threshold) for _ in range(number)]


def _in_order(logs: Sequence[float], threshold: float) -> list[Judgement]:
    """Return the gates that the rounds make in their order, without a last unfinished one."""
    gates = []
    while (gate := judge(logs, threshold)).final:
        gates.append(gate)
        logs = logs[gate.rounds :]
    return gates


def _exact(gates: Sequence[Judgement]) -> Rate | None:
    """Return the share that regressed with Clopper's and Pearson's exact interval."""
    if not gates:
        return None
    found = sum(gate.verdict == "regressed" for gate in gates)
    interval = scipy.stats.binomtest(found, len(gates)).proportion_ci(CONFIDENCE_LEVEL)
    return Rate(found / len(gates), float(interval.low), float(interval.high), len(gates))
