"""What the commands do: the parts of the suite put together, with their output on a console."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from bench import interrupts
from bench.analyze.answer import listed
from bench.analyze.comparison import Table, tables
from bench.analyze.diagnosis import diagnose
from bench.analyze.plan import Stop, next_round
from bench.errors import BackendError, Interrupted, ParityFailed, ResultsBroken, ResultsUnwritable
from bench.measure import workloads
from bench.measure.environments import Interpreter, probe, this_python
from bench.measure.lock import lock_file, machine_lock
from bench.measure.machine import this_machine
from bench.measure.parity import QUICK, ParitySettings, check_parity
from bench.measure.process import Launcher, launcher
from bench.measure.runner import Starting, Target, carry_out
from bench.measure.surroundings import examine
from bench.parity.verdict import Verdict, sentence
from bench.records import BACKENDS, Arm, ArmResult, Parity, Run, Sample, Settings
from bench.report.parity import print_verdict
from bench.report.progress import Progress, make_progress
from bench.report.terminal import make_console, print_findings, print_tables, print_warnings
from bench.store import latest, runs
from bench.store.files import check_writable
from bench.store.parity import save as save_verdicts
from bench.worker.protocol import TimingRequest

RunWorker = Callable[[str, TimingRequest], Sample]


def list_all(pythons: Mapping[str, str]) -> None:
    """Print the workloads, and the backends with the versions found."""
    console = make_console()
    grid = Grid("workload", "what it trains", box=SIMPLE_HEAD)
    for workload in workloads.shipped().values():
        grid.add_row(Text(workload.name), Text(workload.summary()))
    console.print(grid)
    grid = Grid("backend", "framework", "Keras", "NumPy", "Python", box=SIMPLE_HEAD)
    for backend, interpreter in _interpreters(pythons).items():
        environment = interpreter.environment
        found = environment.framework_version(backend) or f"not installed (keras-bench[{backend}])"
        keras, numpy = (environment.version_of(name) or "none" for name in ("keras", "numpy"))
        grid.add_row(backend, found, keras, numpy, environment.python_version)
    console.print(grid)


def see_doctor(pythons: Mapping[str, str]) -> None:
    """Print what on this machine spoils timings."""
    print_findings(make_console(), diagnose(examine(_interpreters(pythons))))


def show_run(file: Path | None, results: Path) -> None:
    """Print the tables of a stored run; raise ResultsBroken where there is none."""
    run = runs.load(file or _newest(results))
    print_tables(make_console(), run, tables(run))


def check(
    names: tuple[str, ...],
    backends: tuple[str, ...],
    pythons: Mapping[str, str],
    settings: ParitySettings,
    timeout_seconds: float,
    file: Path | None,
    debug: bool,
) -> int:
    """Check parity, print the verdicts, write them to a file if one is named; return the exit code.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is trained.
    """
    console = make_console()
    chosen = workloads.find(names)
    interpreters = _choose(backends, _interpreters(pythons), pythons)
    if file is not None:
        check_writable(file.parent)
    verdicts = []
    with machine_lock(_about_to_wait(console)), launcher(timeout_seconds) as workers:
        for workload in chosen:
            console.print(
                f"training {workload.name} on {listed(tuple(interpreters))} ...", style="dim"
            )
            verdict = check_parity(workload, _paths(interpreters), settings, workers)
            verdicts.append(verdict)
            print_verdict(console, verdict, debug)
            if file is not None:
                environments = {name: each.environment for name, each in interpreters.items()}
                save_verdicts(verdicts, environments, asdict(settings), file)
    return _parity_exit_code(verdicts)


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
    interpreters = _interpreters(pythons)
    targets = _targets(
        workloads.find(names), _choose(backends, interpreters, pythons), settings.threads
    )
    check_writable(results)

    with machine_lock(_about_to_wait(console)), launcher(settings.timeout_seconds) as workers:
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
        pythons = {arm.backend: targets[arm].python for arm in targets if arm.workload == name}
        verdict = check_parity(workloads.Workload(name, file), pythons, settings, workers)
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
            for event in carry_out(run, plan, targets, run_worker):
                run = replace(run, elapsed_seconds=time.monotonic() - start)
                if isinstance(event, Starting):
                    progress.starting(event.arm, event.place, event.of, run)
                else:
                    run = replace(event.run, elapsed_seconds=run.elapsed_seconds)
                    progress.finished(event.arm, event.result, run, tables(run))
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


def _about_to_wait(console: Console) -> Callable[[], None]:
    def say() -> None:
        console.print(
            f"another keras-bench run is measuring on this machine ({lock_file()});"
            " waiting for it to end (Ctrl-C gives up)",
            soft_wrap=True,
        )

    return say


def _parity_exit_code(verdicts: Sequence[Verdict]) -> int:
    """Return that of a failed parity, or else that of the first error."""
    backends = [each for verdict in verdicts for each in verdict.backends]
    if any(each.outcome == "differs" for each in backends):
        return ParityFailed.exit_code
    return next((each.exit_code for each in backends if each.exit_code), 0)


def _paths(interpreters: Mapping[str, Interpreter]) -> dict[str, str]:
    return {backend: interpreter.python for backend, interpreter in interpreters.items()}


def _has_samples(run: Run) -> bool:
    return any(result.samples for result in run.results)


def _interpreters(pythons: Mapping[str, str]) -> dict[str, Interpreter]:
    return probe({backend: pythons.get(backend, this_python()) for backend in BACKENDS})


def _choose(
    asked: tuple[str, ...], interpreters: Mapping[str, Interpreter], pythons: Mapping[str, str]
) -> dict[str, Interpreter]:
    """Return the backends to measure: those asked for, or all that are installed.

    Raises:
        BackendError: one that was asked for isn't installed, or none is.
    """
    for backend in asked or tuple(pythons):
        if backend not in interpreters[backend].backends:
            raise BackendError(
                backend,
                f"isn't installed beside Keras in {interpreters[backend].python}",
                f"install keras-bench[{backend}] there, or name another environment"
                f" with --env {backend}=PYTHON",
            )
    chosen = asked or tuple(name for name in BACKENDS if name in interpreters[name].backends)
    if not chosen:
        raise BackendError(
            this_python(),
            "holds no backend",
            "install keras-bench[jax], [tensorflow] or [torch], or name environments with --env",
        )
    return {backend: interpreters[backend] for backend in chosen}


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


def _newest(results: Path) -> Path:
    files = sorted((results / "runs").glob("*.json"))
    if not files:
        raise ResultsBroken(str(results / "runs"), "holds no run", "measure with `keras-bench run`")
    return files[-1]
