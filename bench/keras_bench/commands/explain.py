"""Says where an epoch of `fit` goes, and what is faster: `keras-bench explain`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from keras_bench import interrupts
from keras_bench.analyze.answer import listed
from keras_bench.analyze.diagnosis import diagnose, without_folders
from keras_bench.analyze.explain_plan import arms_to_explain, next_round
from keras_bench.analyze.explanation import explain as explain_run
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS
from keras_bench.commands.outputs import check_outputs, write_all
from keras_bench.commands.rounds import group_settings, measure_rounds
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.errors import BenchError, Interrupted, UsageError
from keras_bench.measure import workloads
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.loop_parity import check_loops
from keras_bench.measure.machine import this_machine
from keras_bench.measure.outcomes import Target
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.profile import NoProfile, profile
from keras_bench.measure.surroundings import examine
from keras_bench.parity.loops import judged
from keras_bench.records import (
    TRAINING_LOOPS,
    Arm,
    ArmResult,
    EnvironmentChoice,
    Parameter,
    Profile,
    Run,
    Selection,
    Settings,
    steps_per_execution,
)
from keras_bench.report.explanation import draw, markdown, print_explanation
from keras_bench.report.progress import make_progress
from keras_bench.report.terminal import about_to_wait, busy, make_console, print_warnings, say
from keras_bench.store.explanations import save
from keras_bench.store.files import write_file
from keras_bench.worker.protocol import Workload

#: What an explanation is measured by where no option says otherwise: short rounds, for the
#: differences it is about are large.
PRECISION = 0.1
TRAINING_SECONDS = 0.5


@dataclass(frozen=True)
class Files:
    """Where the answer is written beside the terminal. None means nowhere."""

    markdown: Path | None = None
    json: Path | None = None


def explain(
    name: str,
    parameters: tuple[tuple[str, tuple[Parameter, ...]], ...],
    backend: str,
    environments: EnvironmentChoice,
    settings: Settings,
    files: Files,
    debug: bool,
) -> int:
    """Measure and watch a workload, print where its epoch goes; return the exit code.

    What a loop refuses, or where one fails, takes nothing from the others.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is measured.
        BenchError: training by `fit` fails.
    """
    console = make_console([files.markdown, files.json])
    first, *others = _workloads(name, parameters)
    finder = environments_of(
        environments, say(console), busy(console), workloads.requirements([first])
    )
    interpreter = finder.interpreters((backend,), dict(environments.named))[backend]
    targets = _targets(first, others, backend, interpreter, settings.threads)
    check_outputs([files.markdown, files.json])

    with (
        machine_lock(about_to_wait(console)),
        launcher(settings.timeout_seconds, environments.variables) as workers,
    ):
        seen = examine({backend: interpreter})
        print_warnings(console, diagnose(seen))
        run = Run(
            started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=this_machine(),
            settings=settings,
            results=tuple(ArmResult(arm) for arm in targets),
            surroundings=without_folders(seen),
        )
        start = time.monotonic()
        fit = next(iter(targets))
        run = _checked(console, run, targets[fit], workers)
        watched, why_not = _watch(console, fit, targets[fit], settings, workers)
        with make_progress(console, draw, debug) as progress:
            run = measure_rounds(
                run,
                next_round,
                targets,
                group_settings(settings),
                workers,
                progress,
                lambda run: None,
                start,
            )
    return _conclude(console, run, watched, why_not, files)


def _workloads(
    name: str, parameters: tuple[tuple[str, tuple[Parameter, ...]], ...]
) -> tuple[Workload, ...]:
    """Return what is explained, and behind it what other values of parameters make of it."""
    found = workloads.find(Selection((name,), (), parameters))
    if len({each.builder for each in found}) > 1:
        builders = ", ".join(dict.fromkeys(each.builder for each in found))
        raise UsageError(name, f"holds several workloads: {builders}", "name one after a colon")
    return found


def _targets(
    first: Workload,
    others: list[Workload],
    backend: str,
    interpreter: Interpreter,
    threads: str,
) -> dict[Arm, Target]:
    fit = Arm(first.name, backend, interpreter.environment, threads)
    by_name = {each.name: each for each in (first, *others)}
    variants = tuple(replace(fit, workload=each.name) for each in others)
    return {
        arm: Target(interpreter.python, by_name[arm.workload])
        for arm in arms_to_explain(fit, variants)
    }


def _checked(console: Console, run: Run, target: Target, workers: Launcher) -> Run:
    """Return the run with what came of the loops that are to train what `fit` does.

    One that refuses the workload has failed.
    """
    fit = run.results[0].arm
    arms = {
        each.arm.loop: each.arm
        for each in run.results
        if replace(each.arm, loop=fit.loop) == fit and _learns(each.arm.loop)
    }
    console.print(f"checking that each trains as fit does: {listed(tuple(arms))} ...", style="dim")
    learners = {fit.backend: Learner(fit.backend, target.python, target.workload)}
    settings = ParitySettings(seed=run.settings.seed, threads=fit.threads)
    verdicts = check_loops(learners, {fit.backend: tuple(arms)}, settings, workers)
    found = {arms[loop]: verdict for (_, loop), verdict in verdicts.items()}

    results = (judged(each, found[each.arm]) if each.arm in found else each for each in run.results)
    return replace(run, results=tuple(results))


def _learns(loop: str) -> bool:
    """Tell whether a loop is another way to train, and not `fit` compiled otherwise."""
    return loop in TRAINING_LOOPS[1:] or (steps_per_execution(loop) or 1) > 1


def _watch(
    console: Console, fit: Arm, target: Target, settings: Settings, workers: Launcher
) -> tuple[Profile | None, str]:
    """Return what a profiler sees of a training by `fit`, or why there is nothing."""
    console.print(f"watching {fit.workload} train on {fit.backend} ...", style="dim")
    try:
        return profile(fit, target, settings.seed, UNCOUNTED_EPOCHS, workers), ""
    except (NoProfile, BenchError) as error:
        return None, str(error)


def _conclude(
    console: Console, run: Run, watched: Profile | None, why_not: str, files: Files
) -> int:
    fit = run.results[0]
    if not fit.samples:
        if fit.failure is not None:
            console.print(f"error: {fit.failure.message}")
            return fit.failure.exit_code
        raise Interrupted("keras-bench", "interrupted", "nothing had been measured yet")
    with interrupts.deferred():
        found = explain_run(run, watched, why_not)
        print_explanation(console, found, run)
        writes: list[Callable[[], None]] = []
        if files.markdown is not None:
            writes.append(partial(write_file, files.markdown, markdown(found, run)))
        if files.json is not None:
            writes.append(partial(save, found, run, watched, files.json))
        written = [file for file in (files.markdown, files.json) if file is not None]
        unwritable = write_all(console, writes, written)
    if not run.complete:
        return Interrupted.exit_code
    if unwritable is not None:
        return unwritable.exit_code
    return 0 if fit.failure is None else fit.failure.exit_code
