"""What to measure next: the next round, or the end.

In a round, the arms of a workload are measured together, in a group. After few rounds, an arm
whose ratio is known well enough is left out of further ones.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from keras_bench.analyze.memory import fitting
from keras_bench.analyze.ratios import process_times, ratio_of
from keras_bench.analyze.stats import Estimate, centre
from keras_bench.records import Arm, ArmResult, Run

#: Rounds of a group before an interval may end the measuring. A few that agree by chance would
#: end it too early, with an interval that promises too much.
MIN_PROCESSES = 6


@dataclass(frozen=True)
class Stop:
    """The end of a run; `reason` is one of those that `Run.stopped` names."""

    reason: str


#: The groups of a round, each its arms in the order in which they start.
Groups = tuple[tuple[Arm, ...], ...]


def next_round(run: Run, elapsed_seconds: float) -> Groups | Stop:
    """Return the groups of the next round, in a shuffled order, or the end."""
    settings = run.settings
    alive = [result for result in run.results if result.failure is None]
    if not alive:
        return Stop("failed")
    wanted = _by_workload(alive)
    if settings.rounds is not None:
        if run.rounds >= settings.rounds:
            return Stop("rounds")
    else:
        wanted = [still_wanted(group, settings.precision) for group in wanted]
        wanted = [group for group in wanted if group]
        if not wanted:
            return Stop("precise")
    if run.rounds > 0 and settings.budget_seconds is not None:
        left_seconds = settings.budget_seconds - elapsed_seconds
        wanted = _affordable(wanted, run.results, left_seconds)
        if not wanted:
            return Stop("budget")
    wanted = [fitting(group, run.available_memory_bytes) for group in wanted]
    chance = random.Random(f"{settings.seed} {run.rounds}")
    groups = [tuple(chance.sample([each.arm for each in group], len(group))) for group in wanted]
    return tuple(chance.sample(groups, len(groups)))


def still_wanted(results: Sequence[ArmResult], precision: float) -> list[ArmResult]:
    """Return the arms of one workload that need a further round; none when all is known.

    Those are the arms whose ratio to the fastest isn't known within the precision, and the
    fastest with them. An arm without another to compare it with is measured for its own time. One
    that learns something else is measured while the others are new, and doesn't count after.
    """
    counting = [result for result in results if result.parity.outcome != "differs"] or results
    if min(len(result.samples) for result in counting) < MIN_PROCESSES:
        return list(results)
    times = {result.arm: process_times(result.samples) for result in counting}
    own = {arm: centre(each.seconds) for arm, each in times.items()}
    fastest = min(counting, key=lambda result: own[result.arm].value)
    if len(counting) == 1:
        return [] if own[fastest.arm].half_width < precision else [fastest]
    loose = [
        result
        for result in counting
        if result is not fastest
        and not _is_known(ratio_of(times[result.arm], times[fastest.arm]), precision)
    ]
    return [fastest, *loose] if loose else []


def _is_known(ratio: Estimate | None, precision: float) -> bool:
    return ratio is not None and ratio.half_width < precision


def _by_workload(results: Sequence[ArmResult]) -> list[list[ArmResult]]:
    ordered = sorted(results, key=lambda result: result.arm.workload)
    return [list(arms) for _, arms in groupby(ordered, key=lambda result: result.arm.workload)]


def _affordable(
    groups: list[list[ArmResult]], results: Sequence[ArmResult], left_seconds: float
) -> list[list[ArmResult]]:
    """Return the groups that still fit, the least measured first."""
    chosen = []
    for group in sorted(groups, key=lambda group: min(len(each.samples) for each in group)):
        cost = round_seconds(group, results)
        if cost <= left_seconds:
            chosen.append(group)
            left_seconds -= cost
    return chosen


def round_seconds(group: Sequence[ArmResult], results: Sequence[ArmResult]) -> float:
    """Return what a further round of a group costs, of which an arm at least has been measured.

    Each process lasts as long as its whole group: an arm costs its share of the last round of it.

    Args:
        group: arms of one workload, or of several that were measured together.
        results: all arms of the run, of which some may have been in the group before.
    """
    last = max(sample.round for result in group for sample in result.samples)
    workloads = {result.arm.workload for result in group}
    seconds = [
        sample.process_seconds
        for result in results
        if result.arm.workload in workloads
        for sample in result.samples
        if sample.round == last
    ]
    return max(seconds) * len(group) / len(seconds)
