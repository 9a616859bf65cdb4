"""What a gate measures next: every group of arms with a pair that isn't decided, or the end.

A group is the arms of one workload and backend. They change places from round to round, as
chance has it for the first of two rounds and the other way about in the second: who comes first
in a round favours none.
"""

import random
from collections.abc import Sequence
from statistics import fmean

from bench.analyze.pairs import is_sound, pairs
from bench.analyze.plan import Stop
from bench.records import Arm, ArmResult, Gate


def next_round(gate: Gate, elapsed_seconds: float) -> tuple[tuple[Arm, ...], ...] | Stop:
    """Return the next round's groups, each the arms in the order of their turns, or the end."""
    known = pairs(gate)
    names = dict.fromkeys(_group(pair.candidate) for pair in known if pair.wanted)
    if not names:
        if any(pair.judgement.final for pair in known):
            return Stop("decided")
        return Stop("parity" if any(pair.differs for pair in known) else "failed")
    groups = [
        [each for each in gate.results if _group(each) == name and is_sound(each)] for name in names
    ]
    if gate.rounds > 0:
        groups = _affordable(groups, gate.settings.budget_seconds - elapsed_seconds)
        if not groups:
            return Stop("budget")
    random.Random(f"{gate.settings.seed} {gate.rounds}").shuffle(groups)
    return tuple(_in_order(group, gate) for group in groups)


def _group(result: ArmResult) -> tuple[str, str]:
    return result.arm.workload, result.arm.backend


def _in_order(group: Sequence[ArmResult], gate: Gate) -> tuple[Arm, ...]:
    arms = [each.arm for each in group]
    chance = random.Random(f"{gate.settings.seed} {_group(group[0])} {gate.rounds // 2}")
    chance.shuffle(arms)
    return tuple(arms[::-1] if gate.rounds % 2 else arms)


def _affordable(groups: Sequence[list[ArmResult]], left_seconds: float) -> list[list[ArmResult]]:
    """Return the groups whose next round still fits, the least measured first."""
    chosen = []
    for group in sorted(groups, key=lambda group: len(group[0].samples)):
        # The arms take turns, so the process of each lasts as long as all of them.
        samples = [sample for each in group for sample in each.samples]
        cost = fmean(sample.process_seconds for sample in samples) if samples else 0.0
        if cost <= left_seconds:
            chosen.append(group)
            left_seconds -= cost
    return chosen
