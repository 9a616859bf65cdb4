"""Checks parity and shows the verdicts: `keras-bench parity`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from keras_bench.analyze.answer import listed
from keras_bench.commands.outputs import check_outputs
from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.errors import ParityFailed
from keras_bench.measure import workloads
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.loop_parity import EPOCHS, check_loops
from keras_bench.measure.parity import check_parity
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.process import launcher
from keras_bench.parity.loops import LoopVerdict
from keras_bench.parity.verdict import BackendVerdict
from keras_bench.records import Environment, EnvironmentChoice, Selection
from keras_bench.report.loop_parity import print_loop_verdicts
from keras_bench.report.parity import print_verdict
from keras_bench.report.terminal import about_to_wait, busy, make_console, say, stages
from keras_bench.store.parity import save as save_verdicts
from keras_bench.store.parity import save_loop_verdicts
from keras_bench.worker.protocol import Workload


def check(
    selection: Selection,
    backends: tuple[str, ...],
    environments: EnvironmentChoice,
    settings: ParitySettings,
    timeout_seconds: float,
    file: Path | None,
    debug: bool,
) -> int:
    """Check parity, print the verdicts, write them to a file if one is named; return the exit code.

    Raises:
        UsageError, WorkloadError, BackendError, ResultsUnwritable: before anything is trained.
    """
    console = make_console([file])
    chosen = workloads.find(selection)
    finder = environments_of(
        environments, say(console), busy(console), workloads.requirements(chosen)
    )
    interpreters = finder.interpreters(backends, dict(environments.named))
    check_outputs([file])
    verdicts = []
    with (
        machine_lock(about_to_wait(console)),
        launcher(timeout_seconds, environments.variables) as workers,
    ):
        for workload in chosen:
            console.print(
                f"training {workload.name} on {listed(tuple(interpreters))} ...", style="dim"
            )
            learners = _learners(interpreters, workload)
            with stages(console, workload.name) as tell:
                verdict = check_parity(workload.name, learners, settings, workers, tell)
            verdicts.append(verdict)
            print_verdict(console, verdict, debug)
            if file is not None:
                save_verdicts(verdicts, _environments(interpreters), asdict(settings), file)
    return _exit_code([each for verdict in verdicts for each in verdict.backends])


def check_by_loops(
    selection: Selection,
    loops: tuple[str, ...],
    backends: tuple[str, ...],
    environments: EnvironmentChoice,
    settings: ParitySettings,
    timeout_seconds: float,
    file: Path | None,
    debug: bool,
) -> int:
    """Check that loops train what `fit` does on each backend; otherwise as `check`."""
    console = make_console([file])
    settings = replace(settings, epochs=settings.epochs or EPOCHS)
    chosen = workloads.find(selection)
    finder = environments_of(
        environments, say(console), busy(console), workloads.requirements(chosen)
    )
    interpreters = finder.interpreters(backends, dict(environments.named))
    check_outputs([file])
    verdicts: dict[str, list[LoopVerdict]] = {}
    with (
        machine_lock(about_to_wait(console)),
        launcher(timeout_seconds, environments.variables) as workers,
    ):
        for workload in chosen:
            who = listed(tuple(interpreters))
            console.print(f"training {workload.name} by fit and {listed(loops)} on {who} ...")
            with stages(console, workload.name) as tell:
                found = check_loops(
                    _learners(interpreters, workload),
                    dict.fromkeys(interpreters, loops),
                    settings,
                    workers,
                    tell,
                )
            verdicts[workload.name] = list(found.values())
            print_loop_verdicts(console, workload.name, verdicts[workload.name], debug)
            if file is not None:
                save_loop_verdicts(verdicts, _environments(interpreters), asdict(settings), file)
    # That a loop refuses a workload is no fault where another one trains it.
    found_out = [
        each
        for several in verdicts.values()
        for each in several
        if not (each.unsupported and any(not other.unsupported for other in several))
    ]
    return _exit_code(found_out)


def _learners(interpreters: Mapping[str, Interpreter], workload: Workload) -> dict[str, Learner]:
    return {name: Learner(name, each.python, workload) for name, each in interpreters.items()}


def _environments(interpreters: Mapping[str, Interpreter]) -> dict[str, Environment]:
    return {name: each.environment for name, each in interpreters.items()}


def _exit_code(verdicts: Sequence[BackendVerdict | LoopVerdict]) -> int:
    """Return that of a failed parity, or else that of the first error."""
    if any(each.outcome == "differs" for each in verdicts):
        return ParityFailed.exit_code
    return next((each.exit_code for each in verdicts if each.exit_code), 0)
