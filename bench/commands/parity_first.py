"""Checks, before anything is timed, that all that is compared learns the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from bench.measure.parity import QUICK, Learner, check_parity
from bench.measure.process import Launcher
from bench.measure.runner import Target
from bench.parity.verdict import sentence
from bench.records import Arm, ArmResult, Parity


def check_first(
    console: Console,
    results: tuple[ArmResult, ...],
    targets: Mapping[Arm, Target],
    learner_of: Callable[[Arm], str],
    seed: int,
    workers: Launcher,
    debug: bool,
) -> tuple[ArmResult, ...]:
    """Return the results with the parity of each arm, from a check in the quick form.

    `learner_of` gives the name by which an arm goes among those of its workload.
    """
    settings = replace(QUICK, seed=seed, threads=results[0].arm.threads)
    found: dict[tuple[str, str], Parity] = {}
    for workload in dict.fromkeys(arm.workload for arm in targets):
        console.print(f"checking that all sides learn the same {workload} ...", style="dim")
        learners = {
            learner_of(arm): Learner(arm.backend, target.python, target.workload_file)
            for arm, target in targets.items()
            if arm.workload == workload
        }
        verdict = check_parity(workload, learners, settings, workers)
        for each in verdict.backends:
            summary = sentence(each, verdict.knows_who)
            found[workload, each.backend] = Parity(each.outcome, summary)
            if debug and each.traceback:
                console.print(Text(each.traceback), soft_wrap=True)
    return tuple(
        replace(each, parity=found[each.arm.workload, learner_of(each.arm)]) for each in results
    )
