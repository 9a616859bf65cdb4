"""What to measure next: the next round, or the end.

The first round trains each arm for as long as its workload's own fit settings say, which
gives the final losses and the variances from which the later rounds are cut to size. After
few rounds, an arm whose ratio is known well enough is left out of further ones.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from keras_bench.analyze.repetitions import epoch_cost_seconds, process_cost_seconds, steady_epochs
from keras_bench.analyze.stats import centre, ratio
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch_seconds
from keras_bench.records import ArmResult, Assignment, Run, Settings

#: Processes of an arm before its interval may end the measuring. A few that agree by chance
#: would end it too early, with an interval that promises too much.
MIN_PROCESSES = 6

#: An interval of the fastest arm this much narrower than another's adds next to nothing to
#: that of their ratio: squared errors add up.
ENOUGH = 0.5

#: Epochs of every process, so that each has a steady one.
LEAST_EPOCHS = UNCOUNTED_EPOCHS + 1

#: The share of the budget that the first round may spend on epochs.
FIRST_ROUND_SHARE = 0.3


@dataclass(frozen=True)
class Stop:
    """The end of a run; `reason` is one of those that `Run.stopped` names."""

    reason: str


def next_round(run: Run, elapsed_seconds: float) -> tuple[Assignment, ...] | Stop:
    """Return a worker per arm that is still wanted, in a shuffled order, or the end."""
    settings = run.settings
    alive = [result for result in run.results if result.failure is None]
    if not alive:
        return Stop("failed")
    if settings.rounds is not None:
        if run.rounds >= settings.rounds:
            return Stop("rounds")
        wanted = [alive]
    else:
        wanted = [still_wanted(arms, settings.precision) for arms in _by_workload(alive)]
        wanted = [arms for arms in wanted if arms]
        if not wanted:
            return Stop("precise")
    if run.rounds == 0:
        return _first_round(run)
    if settings.budget_seconds is not None:
        wanted = _affordable(wanted, settings, settings.budget_seconds - elapsed_seconds)
        if not wanted:
            return Stop("budget")
    return _shuffled(
        run,
        [_later_process(result, settings) for arms in wanted for result in arms],
    )


def next_process(result: ArmResult, settings: Settings) -> Assignment:
    """Return what an arm's next process is to do where others count the rounds."""
    return _later_process(result, settings) if result.samples else _first_process(result, settings)


def still_wanted(results: Sequence[ArmResult], precision: float) -> list[ArmResult]:
    """Return the arms of one workload that need further processes; none when all is known.

    Those are the arms whose ratio to the fastest isn't known within the precision, and the
    fastest with them, unless its own time is known so well that theirs alone is what is
    missing. An arm without another to compare it with needs processes for its own time. One
    that learns something else is measured while the others are new, and doesn't count after.
    """
    counting = [result for result in results if result.parity.outcome != "differs"] or results
    if min(len(result.samples) for result in counting) < MIN_PROCESSES:
        return list(results)
    results = counting
    seconds = {result.arm: process_epoch_seconds(result.samples) for result in results}
    own = {arm: centre(values) for arm, values in seconds.items()}
    fastest = min(results, key=lambda result: own[result.arm].value)
    if len(results) == 1:
        return [] if own[fastest.arm].half_width < precision else [fastest]
    loose = [
        result
        for result in results
        if result is not fastest
        and ratio(seconds[result.arm], seconds[fastest.arm]).half_width >= precision
    ]
    widest = max((own[result.arm].half_width for result in loose), default=0.0)
    missing = own[fastest.arm].half_width > ENOUGH * widest
    return [fastest, *loose] if loose and missing else loose


def _by_workload(results: Sequence[ArmResult]) -> list[list[ArmResult]]:
    ordered = sorted(results, key=lambda result: result.arm.workload)
    return [list(arms) for _, arms in groupby(ordered, key=lambda result: result.arm.workload)]


def _first_round(run: Run) -> tuple[Assignment, ...]:
    arms = len(run.results)
    return _shuffled(run, [_first_process(each, run.settings, arms) for each in run.results])


def _first_process(result: ArmResult, settings: Settings, arms: int = 1) -> Assignment:
    return Assignment(
        result.arm, LEAST_EPOCHS, time_limit_seconds=_time_limit(result, settings, arms)
    )


def _later_process(result: ArmResult, settings: Settings) -> Assignment:
    epochs = UNCOUNTED_EPOCHS + steady_epochs(result.samples, settings)
    return Assignment(result.arm, LEAST_EPOCHS, epochs)


def _time_limit(result: ArmResult, settings: Settings, arms: int) -> float | None:
    """Return when the first process of one of so many arms is to end, None for no limit."""
    budget = settings.budget_seconds
    limit = None if budget is None else budget * FIRST_ROUND_SHARE / arms
    if result.arm.task == "train":
        return limit
    # No workload says how often to predict.
    return min(limit or math.inf, settings.min_steady_seconds)


def _affordable(
    wanted: list[list[ArmResult]], settings: Settings, left_seconds: float
) -> list[list[ArmResult]]:
    """Return the workloads that still fit, the least measured first."""
    chosen = []
    for arms in sorted(wanted, key=lambda arms: min(len(result.samples) for result in arms)):
        cost = sum(_cost_seconds(result, settings) for result in arms)
        if cost <= left_seconds:
            chosen.append(arms)
            left_seconds -= cost
    return chosen


def _cost_seconds(result: ArmResult, settings: Settings) -> float:
    samples = result.samples
    epochs = steady_epochs(samples, settings)
    return process_cost_seconds(samples) + epochs * epoch_cost_seconds(samples)


def _shuffled(run: Run, assignments: list[Assignment]) -> tuple[Assignment, ...]:
    random.Random(f"{run.settings.seed} {run.rounds}").shuffle(assignments)
    return tuple(assignments)
