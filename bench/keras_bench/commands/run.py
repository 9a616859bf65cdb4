"""Measures and compares backends: `keras-bench run`."""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench import interrupts
from keras_bench.analyze.comparison import Table, faults, tables
from keras_bench.analyze.diagnosis import diagnose, without_folders
from keras_bench.analyze.plan import next_round
from keras_bench.commands.parity_first import check_first
from keras_bench.commands.rounds import group_settings, measure_rounds
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.errors import Interrupted, ParityFailed, ResultsUnwritable
from keras_bench.measure import workloads
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.machine import this_machine
from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import launcher
from keras_bench.measure.surroundings import examine
from keras_bench.records import Arm, ArmResult, EnvironmentChoice, Run, Selection, Settings, Task
from keras_bench.report.progress import draw_run, make_progress
from keras_bench.report.run import print_tables
from keras_bench.report.terminal import about_to_wait, busy, make_console, print_warnings, say
from keras_bench.store import latest, runs
from keras_bench.store.files import check_writable, own_name
from keras_bench.store.history import append
from keras_bench.worker.protocol import Workload

#: The sizes of the batch that are predicted where the user sets none.
BATCH_SIZES = ("batch_size", (1, 32, 256))


def measure(
    selection: Selection,
    task: Task,
    loops: tuple[str, ...],
    backends: tuple[str, ...],
    environments: EnvironmentChoice,
    settings: Settings,
    results: Path,
    debug: bool,
) -> int:
    """Measure, print and write the tables, and return the exit code.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is measured.
    """
    console = make_console()
    chosen = workloads.find(_with_batch_sizes(selection) if task == "predict" else selection)
    check_writable(results)
    finder = environments_of(
        environments, say(console), busy(console), workloads.requirements(chosen)
    )
    interpreters = finder.interpreters(backends, dict(environments.named), task)
    targets = _targets(chosen, task, loops, interpreters, settings.threads)

    with (
        machine_lock(about_to_wait(console)),
        launcher(settings.timeout_seconds, environments.variables) as workers,
        ExitStack() as names,
    ):
        seen = examine(interpreters)
        print_warnings(console, diagnose(seen))
        run = Run(
            started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=this_machine(),
            settings=settings,
            results=tuple(ArmResult(arm) for arm in targets),
            surroundings=without_folders(seen),
        )
        start = time.monotonic()
        run = names.enter_context(own_name(run, results / "runs"))
        if settings.parity:
            groups = [[arm for arm in targets if arm.workload == each.name] for each in chosen]
            parities = check_first(
                console, run.results, groups, targets, _backend, settings.seed, workers, debug
            )
            run = replace(run, results=parities)
        with make_progress(console, draw_run, debug) as progress:
            run = measure_rounds(
                run,
                next_round,
                targets,
                group_settings(settings),
                workers,
                progress,
                lambda run: _save_so_far(run, results),
                start,
            )
    return _conclude(console, run, results)


def _with_batch_sizes(selection: Selection) -> Selection:
    """Return the selection with sizes of the batch, the usual ones unless it has its own."""
    name, _ = BATCH_SIZES
    if name in dict(selection.parameters):
        return selection
    return replace(selection, parameters=(*selection.parameters, BATCH_SIZES))


def _backend(arm: Arm) -> str:
    return arm.backend


def _save_so_far(run: Run, results: Path) -> None:
    """Save what was measured, so that not even a power cut loses more than a round."""
    if _has_samples(run):
        # Where it fails, the end of the run tries again, elsewhere if need be, and says so.
        with suppress(ResultsUnwritable):
            runs.save(run, results)


def _conclude(console: Console, run: Run, results: Path) -> int:
    """Print and write what was measured; return the exit code of what went wrong first."""
    failures = faults(run.results)
    if not _has_samples(run):
        for message in dict.fromkeys(failure.message for failure in failures):
            console.print(f"error: {message}")
        if run.complete:
            return failures[0].exit_code
        raise Interrupted("keras-bench", "interrupted", "nothing had been measured yet")
    with interrupts.deferred():  # A second Ctrl-C can't cut short what saves the run.
        compared = tables(run)
        print_tables(console, run, compared)
        unwritable = _save(console, run, compared, results)
    if unwritable is None:
        _write_page(console, runs.run_file(run, results), results)
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
        append(
            run.results,
            started_utc=run.started_utc,
            machine=run.machine,
            kind="run",
            results_folder=results,
        )
    except ResultsUnwritable as error:
        console.print(Text(f"error: {error}", style="red"))
        elsewhere = Path(tempfile.gettempdir()) / "keras-bench-results"
        try:
            file = runs.save(run, elsewhere)
        except ResultsUnwritable as second:
            console.print(Text(f"error: nor elsewhere: {second}", style="red"))
        else:
            console.print(f"The run is saved in {file}; `keras-bench show` prints it again.")
        return error
    written = f"{results}/latest.md, .csv, .json, {file} and history.csv"
    console.print(f"Written to {written}")
    return None


def _write_page(console: Console, file: Path, results: Path) -> None:
    """Write the page of a run that is saved already; what goes wrong with it costs nothing else."""
    try:
        # The plotting library takes its time, which is not to come before the measuring.
        from keras_bench.commands.report import report

        report((file,), None, results)
    except Exception as error:
        line = f"warning: the page couldn't be made ({type(error).__name__}: {error})"
        remedy = "`keras-bench report` tries again"
        console.print(Text(f"{line}; {remedy}", style="yellow"))


def _has_samples(run: Run) -> bool:
    return any(result.samples for result in run.results)


def _targets(
    chosen: tuple[Workload, ...],
    task: Task,
    loops: tuple[str, ...],
    interpreters: Mapping[str, Interpreter],
    threads: str,
) -> dict[Arm, Target]:
    return {
        Arm(workload.name, backend, interpreter.environment, threads, loop, task): Target(
            interpreter.python, workload
        )
        for workload in chosen
        for backend, interpreter in interpreters.items()
        for loop in loops
    }
