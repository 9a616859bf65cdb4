"""Checks, before anything is timed, that all that is compared learns the same."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.answer import listed
from keras_bench.analyze.words import WORDS
from keras_bench.measure.loop_parity import check_loops
from keras_bench.measure.outcomes import Target
from keras_bench.measure.parity import QUICK, check_parity
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.predictions import check_predictions
from keras_bench.measure.process import Launcher
from keras_bench.parity.loops import LoopVerdict, judged
from keras_bench.parity.places import RUNNING_LOSS, Place
from keras_bench.parity.verdict import sentence
from keras_bench.records import DEFAULT_LOOPS, UNCHECKED, Arm, ArmResult, Parity
from keras_bench.report.terminal import stages


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
    by which an arm goes among them, and which arms share that differ in their loop alone. An arm in
    no group stays unchecked. One whose loop refuses the workload has failed, and is unsupported.
    """
    settings = replace(QUICK, seed=seed, threads=results[0].arm.threads)
    known = {each.arm: each for each in results}
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
            for name, parity in parities.items():
                known[arms[name]] = replace(known[arms[name]], parity=parity)
            notes = [note for each in failures.values() for note in getattr(each, "__notes__", [])]
            for note in notes if debug else ():
                console.print(Text(note))
            continue
        of_backends = _of_backends(console, workload, learners, settings, workers, debug)
        of_loops = _of_loops(console, group, learners, learner_of, settings, workers, debug)
        for arm in group:
            parity = of_backends.get(learner_of(arm), UNCHECKED)
            known[arm] = replace(known[arm], parity=parity)
            if (of_loop := of_loops.get(arm)) is not None:
                # The losses after each step are those of fit.
                parity = replace(parity, running_losses=(), reference_losses=())
                known[arm] = judged(replace(known[arm], parity=parity), of_loop)
    return tuple(known[each.arm] for each in results)


def _of_backends(
    console: Console,
    workload: str,
    learners: Mapping[str, Learner],
    settings: ParitySettings,
    workers: Launcher,
    debug: bool,
) -> dict[str, Parity]:
    """Return the parity of each learner under `fit`."""
    with stages(console, workload) as tell:
        verdict = check_parity(workload, learners, settings, workers, tell)
    reference = _running((place, loss) for place, loss, _ in verdict.losses)
    found = {}
    for each in verdict.backends:
        summary = "; ".join((sentence(each, verdict.knows_who), *each.remarks))
        found[each.backend] = Parity(
            each.outcome, summary, _running(each.losses), reference, each.exit_code
        )
        if debug and each.traceback:
            console.print(Text(each.traceback))
    return found


def _of_loops(
    console: Console,
    group: Sequence[Arm],
    learners: Mapping[str, Learner],
    learner_of: Callable[[Arm], str],
    settings: ParitySettings,
    workers: Launcher,
    debug: bool,
) -> dict[Arm, LoopVerdict]:
    """Return what came of the loops of a group, but for `fit` itself."""
    arms = {(learner_of(arm), arm.loop): arm for arm in group if arm.loop != DEFAULT_LOOPS["train"]}
    if not arms:
        return {}
    loops: dict[str, list[str]] = {}
    for name, loop in arms:
        loops.setdefault(name, []).append(loop)
    by = listed(tuple(dict.fromkeys(loop for _, loop in arms)))
    console.print(f"checking that each trains as fit does: {by} ...", style="dim")
    settings = replace(settings, epochs=None)
    found = check_loops(learners, loops, settings, workers)
    for each in found.values():
        if debug and each.traceback:
            console.print(Text(each.traceback))
    return {arms[place]: each for place, each in found.items()}


def _running(losses: Iterable[tuple[Place, float]]) -> tuple[float, ...]:
    """Return the loss after each checked step; none if one is infinite, which JSON can't hold."""
    found = tuple(loss for place, loss in losses if place.stage == RUNNING_LOSS)
    return found if all(map(math.isfinite, found)) else ()
