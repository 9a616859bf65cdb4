"""Measures and compares backends: `keras-bench run`."""

import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import interrupts
from bench.analyze.comparison import Table, tables
from bench.analyze.diagnosis import diagnose
from bench.analyze.plan import Stop, next_round
from bench.errors import Interrupted, ParityFailed, ResultsUnwritable
from bench.measure import workloads
from bench.measure.environments import Interpreter, choose, probe_backends
from bench.measure.lock import machine_lock
from bench.measure.machine import this_machine
from bench.measure.parity import QUICK, Learner, check_parity
from bench.measure.process import Launcher, launcher
from bench.measure.runner import RunWorker, Starting, Target, carry_out, grown
from bench.measure.surroundings import examine
from bench.parity.verdict import sentence
from bench.records import Arm, ArmResult, Parity, Run, Settings
from bench.report.progress import Progress, make_progress
from bench.report.terminal import about_to_wait, make_console, print_tables, print_warnings
from bench.store import latest, runs
from bench.store.files import check_writable


def measure(
    names: tuple[str, ...],
    backends: tuple[str, ...],
    pythons: Mapping[str, str],
    settings: Settings,
    results: Path,
    debug: bool,
) -> int:
    """Measure, print and write the tables, and return the exit code.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is measured.
    """
    console = make_console()
    interpreters = probe_backends(pythons)
    targets = _targets(
        workloads.find(names), choose(backends, interpreters, pythons), settings.threads
    )
    check_writable(results)

    with machine_lock(about_to_wait(console)), launcher(settings.timeout_seconds) as workers:
        print_warnings(console, diagnose(examine(interpreters)))
        run = Run(
            started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=this_machine(),
            settings=settings,
            results=tuple(ArmResult(arm) for arm in targets),
        )
        start = time.monotonic()
        if settings.parity:
            run = _with_parity(console, run, targets, workers, debug)
        with make_progress(console, debug) as progress:
            run = _measure_rounds(run, targets, workers.run, progress, results, start)
    return _conclude(console, run, results)


def _with_parity(
    console: Console, run: Run, targets: Mapping[Arm, Target], workers: Launcher, debug: bool
) -> Run:
    """Check first, in the quick form, that the backends learn the same."""
    settings = replace(QUICK, seed=run.settings.seed, threads=run.settings.threads)
    files = {arm.workload: targets[arm].workload_file for arm in targets}
    outcomes: dict[tuple[str, str], Parity] = {}
    for name, file in files.items():
        console.print(f"checking that all backends learn the same {name} ...", style="dim")
        learners = {
            arm.backend: Learner(arm.backend, target.python)
            for arm, target in targets.items()
            if arm.workload == name
        }
        verdict = check_parity(workloads.Workload(name, file), learners, settings, workers)
        for each in verdict.backends:
            summary = sentence(each, verdict.knows_who)
            outcomes[name, each.backend] = Parity(each.outcome, summary)
            if debug and each.traceback:
                console.print(Text(each.traceback), soft_wrap=True)
    return replace(
        run,
        results=tuple(
            replace(result, parity=outcomes[result.arm.workload, result.arm.backend])
            for result in run.results
        ),
    )


def _measure_rounds(
    run: Run,
    targets: Mapping[Arm, Target],
    run_worker: RunWorker,
    progress: Progress,
    results: Path,
    start: float,
) -> Run:
    """Carry out rounds until the plan ends or the user does; return all that was measured.

    The budget's time runs from `start`.
    """
    try:
        while True:
            plan = next_round(run, time.monotonic() - start)
            if isinstance(plan, Stop):
                return replace(run, complete=True, stopped=plan.reason)
            for event in carry_out(run.rounds + 1, plan, targets, run.settings.seed, run_worker):
                run = replace(run, elapsed_seconds=time.monotonic() - start)
                if isinstance(event, Starting):
                    progress.starting(event.arm, event.place, event.of, run)
                else:
                    run = replace(run, results=grown(run.results, event))
                    progress.finished(event.arm, event.result, run, tables(run))
            run = replace(run, rounds=run.rounds + 1)
            _save_so_far(run, results)
    except KeyboardInterrupt:
        return replace(
            run, elapsed_seconds=time.monotonic() - start, complete=False, stopped="interrupted"
        )


def _save_so_far(run: Run, results: Path) -> None:
    """Save what was measured, so that not even a power cut loses more than a round."""
    if _has_samples(run):
        # Where it fails, the end of the run tries again, elsewhere if need be, and says so.
        with suppress(ResultsUnwritable):
            runs.save(run, results)


def _conclude(console: Console, run: Run, results: Path) -> int:
    """Print and write what was measured; return the exit code of what went wrong first."""
    failures = [result.failure for result in run.results if result.failure is not None]
    if not _has_samples(run):
        for message in dict.fromkeys(failure.message for failure in failures):
            console.print(f"error: {message}", soft_wrap=True)
        if run.complete:
            return failures[0].exit_code
        raise Interrupted("keras-bench", "interrupted", "nothing had been measured yet")
    with interrupts.deferred():  # A second Ctrl-C can't cut short what saves the run.
        compared = tables(run)
        print_tables(console, run, compared)
        unwritable = _save(console, run, compared, results)
    if not run.complete:
        return Interrupted.exit_code
    if unwritable is not None:
        return unwritable.exit_code
    if failures:
        return failures[0].exit_code
    odd = any(result.parity.outcome == "differs" for result in run.results)
    return ParityFailed.exit_code if odd else 0


def _save(
    console: Console, run: Run, compared: tuple[Table, ...], results: Path
) -> ResultsUnwritable | None:
    """Write the run and its tables, in the temporary directory where `results` fails."""
    try:
        file = runs.save(run, results)
        latest.save(run, compared, results)
    except ResultsUnwritable as error:
        console.print(Text(f"error: {error}", style="red"), soft_wrap=True)
        elsewhere = Path(tempfile.gettempdir()) / "keras-bench-results"
        try:
            file = runs.save(run, elsewhere)
        except ResultsUnwritable as second:
            console.print(Text(f"error: nor elsewhere: {second}", style="red"), soft_wrap=True)
        else:
            console.print(f"The run is saved in {file}; `keras-bench show` prints it again.")
        return error
    console.print(f"Written to {results}/latest.md, .csv, .json and {file}", soft_wrap=True)
    return None


def _has_samples(run: Run) -> bool:
    return any(result.samples for result in run.results)


def _targets(
    chosen: tuple[workloads.Workload, ...], interpreters: Mapping[str, Interpreter], threads: str
) -> dict[Arm, Target]:
    return {
        Arm(workload.name, backend, interpreter.environment, threads): Target(
            interpreter.python, workload.file
        )
        for workload in chosen
        for backend, interpreter in interpreters.items()
    }
