"""What a gate measures next: every group of arms with a pair that isn't decided, or the end.

A group is the arms of one workload and backend. They change places from round to round, as
chance has it for the first of two rounds and the other way about in the second: who comes first
in a round favours none.
"""

import random
from collections.abc import Iterable, Sequence
from statistics import fmean

from keras_bench.analyze.pairs import Pair, is_sound, pairs
from keras_bench.analyze.plan import Stop
from keras_bench.records import Arm, ArmResult, Gate

#: A workload and a backend.
Group = tuple[str, str]


def next_round(gate: Gate, elapsed_seconds: float) -> tuple[tuple[Arm, ...], ...] | Stop:
    """Return the next round's groups, each the arms in the order of their starts, or the end."""
    known = pairs(gate)
    names = list(dict.fromkeys(pair.candidate.arm.group for pair in known if pair.wanted))
    if not names:
        if any(pair.judgement.final for pair in known):
            return Stop("decided")
        return Stop("parity" if any(pair.differs for pair in known) else "failed")
    if gate.rounds > 0:
        left_seconds = gate.settings.budget_seconds - elapsed_seconds
        names = _affordable(names, gate, known, left_seconds)
        if not names:
            return Stop("budget")
    groups = [
        [each for each in gate.results if each.arm.group == name and is_sound(each)]
        for name in names
    ]
    random.Random(f"{gate.settings.seed} {gate.rounds}").shuffle(groups)
    return tuple(_in_order(group, gate) for group in groups)


def _in_order(group: Sequence[ArmResult], gate: Gate) -> tuple[Arm, ...]:
    arms = [each.arm for each in group]
    chance = random.Random(f"{gate.settings.seed} {group[0].arm.group} {gate.rounds // 2}")
    chance.shuffle(arms)
    return tuple(arms[::-1] if gate.rounds % 2 else arms)


def _affordable(
    names: Iterable[Group], gate: Gate, known: Sequence[Pair], left_seconds: float
) -> list[Group]:
    """Return the groups that can still come to their next look, the nearest to it first.

    Rounds that come to none would tell nothing.
    """
    costs = {name: _seconds_to_next_look(name, gate, known) for name in names}
    chosen = []
    for name, cost in sorted(costs.items(), key=lambda item: item[1]):
        if cost <= left_seconds:
            chosen.append(name)
            left_seconds -= cost
    return chosen


def _seconds_to_next_look(name: Group, gate: Gate, known: Sequence[Pair]) -> float:
    rounds = min(
        pair.judgement.rounds_to_next_look
        for pair in known
        if pair.wanted and pair.candidate.arm.group == name
    )
    # The arms run in slices, so the process of each lasts as long as all of them.
    samples = [s for each in gate.results if each.arm.group == name for s in each.samples]
    return rounds * fmean(sample.process_seconds for sample in samples) if samples else 0.0
