"""A sweep over versions: every environment next to the first, and to the one before it."""

import math
from dataclasses import dataclass

from keras_bench.analyze.clocks import clock_of
from keras_bench.analyze.pairs import (
    Pair,
    clock_jumped,
    is_sound,
    log_ratio,
    pairs,
    rounds_that_count,
)
from keras_bench.analyze.stats import Estimate, centre
from keras_bench.analyze.steady import process_epochs_by
from keras_bench.records import ArmResult, Clock, Gate


@dataclass(frozen=True)
class SweepRow:
    """One arm of a sweep.

    `epoch` is None without a sample that counts. `is_first` tells that it is the first arm of its
    workload and backend that could be measured, and `to_first` is the ratio to that one, with an
    interval for this number of rounds, None without a round that both have. `pair` compares it
    with the one before, None where none before it could be measured.
    """

    result: ArmResult
    epoch: Estimate | None
    is_first: bool
    to_first: Estimate | None
    pair: Pair | None


def sweep(gate: Gate) -> tuple[SweepRow, ...]:
    """Return a row for each arm, in the order in which the gate holds them."""
    by_candidate = {pair.candidate.arm: pair for pair in pairs(gate) if is_sound(pair.baseline)}
    return tuple(_row(each, by_candidate.get(each.arm), gate) for each in gate.results)


def _row(result: ArmResult, pair: Pair | None, gate: Gate) -> SweepRow:
    group = [each for each in gate.results if each.arm.group == result.arm.group]
    first = next((each for each in group if each.samples), None)
    to_first = None
    if first is not None and first is not result and result.samples:
        to_first = _ratio(first, result, clock_of(gate.settings.metric, result.arm.backend))
    return SweepRow(result, _epoch(result, gate), result is first, to_first, pair)


def _ratio(first: ArmResult, result: ArmResult, clock: Clock) -> Estimate | None:
    rounds, _ = rounds_that_count(first.samples, result.samples, clock)
    if not rounds:
        return None
    return centre([math.exp(log_ratio(*each, clock)) for each in rounds])


def _epoch(result: ArmResult, gate: Gate) -> Estimate | None:
    clock = clock_of(gate.settings.metric, result.arm.backend)
    samples = [each for each in result.samples if not clock_jumped(each, clock)]
    return centre(process_epochs_by(clock, samples)) if samples else None
