"""Checks, before anything is timed, that all that is compared learns the same."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from bench.analyze.answer import listed
from bench.analyze.words import WORDS
from bench.measure.parity import QUICK, Learner, check_parity
from bench.measure.predictions import check_predictions
from bench.measure.process import Launcher
from bench.measure.runner import Target
from bench.parity.places import RUNNING_LOSS, Place
from bench.parity.verdict import sentence
from bench.records import Arm, ArmResult, Parity


def check_first(
    console: Console,
    results: tuple[ArmResult, ...],
    groups: Sequence[Sequence[Arm]],
    targets: Mapping[Arm, Target],
    learner_of: Callable[[Arm], str],
    seed: int,
    workers: Launcher,
    debug: bool,
) -> tuple[ArmResult, ...]:
    """Return the results with the parity of each arm, from a check in the quick form.

    Each group holds arms of one workload that are to learn the same; `learner_of` gives the name
    by which an arm goes among them. An arm in no group stays unchecked.
    """
    settings = replace(QUICK, seed=seed, threads=results[0].arm.threads)
    found: dict[Arm, Parity] = {}
    for group in groups:
        workload = group[0].workload
        arms = {learner_of(arm): arm for arm in group}
        who, does = listed(tuple(arms)), WORDS[group[0].task].errs
        console.print(f"checking that {workload} {does} the same on {who} ...", style="dim")
        learners = {
            name: Learner(arm.backend, targets[arm].python, targets[arm].workload)
            for name, arm in arms.items()
        }
        if group[0].task == "predict":
            parities, failures = check_predictions(learners, seed, settings.threads, workers)
            found |= {arms[name]: parity for name, parity in parities.items()}
            notes = [note for each in failures.values() for note in getattr(each, "__notes__", [])]
            for note in notes if debug else ():
                console.print(Text(note), soft_wrap=True)
            continue
        verdict = check_parity(workload, learners, settings, workers)
        for each in verdict.backends:
            summary = sentence(each, verdict.knows_who)
            found[arms[each.backend]] = Parity(
                each.outcome,
                summary,
                _running(each.losses),
                _running((place, loss) for place, loss, _ in verdict.losses),
            )
            if debug and each.traceback:
                console.print(Text(each.traceback), soft_wrap=True)
    return tuple(replace(each, parity=found.get(each.arm, each.parity)) for each in results)


def _running(losses: Iterable[tuple[Place, float]]) -> tuple[float, ...]:
    """Return the loss after each checked step; none if one is infinite, which JSON can't hold."""
    found = tuple(loss for place, loss in losses if place.stage == RUNNING_LOSS)
    return found if all(map(math.isfinite, found)) else ()
