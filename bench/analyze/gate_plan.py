"""What a gate measures next: both sides of every pair that isn't decided, or the end.

Within a pair the sides change places from round to round, as chance has it for the first of two
rounds and the other way about in the second: who comes first in a round favours neither.
"""

import random
from collections.abc import Sequence
from statistics import fmean

from bench.analyze.pairs import Pair, pairs
from bench.analyze.plan import Stop
from bench.records import Arm, Gate


def next_round(gate: Gate, elapsed_seconds: float) -> tuple[tuple[Arm, ...], ...] | Stop:
    """Return the next round's pairs, each the arms in the order of their turns, or the end."""
    known = pairs(gate)
    wanted = [pair for pair in known if pair.wanted]
    if not wanted:
        if any(pair.judgement.final for pair in known):
            return Stop("decided")
        return Stop("parity" if any(pair.differs for pair in known) else "failed")
    if gate.rounds > 0:
        wanted = _affordable(wanted, gate.settings.budget_seconds - elapsed_seconds)
        if not wanted:
            return Stop("budget")
    random.Random(f"{gate.settings.seed} {gate.rounds}").shuffle(wanted)
    return tuple(_in_order(pair, gate) for pair in wanted)


def _in_order(pair: Pair, gate: Gate) -> tuple[Arm, ...]:
    arms = [side.arm for side in pair.sides]
    chance = random.Random(f"{gate.settings.seed} {arms[0].workload} {gate.rounds // 2}")
    chance.shuffle(arms)
    return tuple(arms[::-1] if gate.rounds % 2 else arms)


def _affordable(wanted: Sequence[Pair], left_seconds: float) -> list[Pair]:
    """Return the pairs whose next round still fits, the least measured first."""
    chosen = []
    for pair in sorted(wanted, key=lambda pair: pair.judgement.rounds):
        # The sides take turns, so each one's process lasts as long as both.
        cost = fmean(sample.process_seconds for sample in pair.baseline.samples)
        if cost <= left_seconds:
            chosen.append(pair)
            left_seconds -= cost
    return chosen
