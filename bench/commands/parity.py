"""Checks parity and shows the verdicts: `keras-bench parity`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.analyze.answer import listed
from bench.errors import ParityFailed
from bench.measure import workloads
from bench.measure.environments import choose, probe_backends
from bench.measure.lock import machine_lock
from bench.measure.parity import Learner, ParitySettings, check_parity
from bench.measure.process import launcher
from bench.parity.verdict import Verdict
from bench.records import Selection
from bench.report.parity import print_verdict
from bench.report.terminal import about_to_wait, make_console
from bench.store.files import check_writable
from bench.store.parity import save as save_verdicts


def check(
    selection: Selection,
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
    chosen = workloads.find(selection)
    interpreters = choose(backends, probe_backends(pythons), pythons)
    if file is not None:
        check_writable(file.parent)
    verdicts = []
    with machine_lock(about_to_wait(console)), launcher(timeout_seconds) as workers:
        for workload in chosen:
            console.print(
                f"training {workload.name} on {listed(tuple(interpreters))} ...", style="dim"
            )
            learners = {
                name: Learner(name, each.python, workload) for name, each in interpreters.items()
            }
            verdict = check_parity(workload.name, learners, settings, workers)
            verdicts.append(verdict)
            print_verdict(console, verdict, debug)
            if file is not None:
                environments = {name: each.environment for name, each in interpreters.items()}
                save_verdicts(verdicts, environments, asdict(settings), file)
    return _exit_code(verdicts)


def _exit_code(verdicts: Sequence[Verdict]) -> int:
    """Return that of a failed parity, or else that of the first error."""
    backends = [each for verdict in verdicts for each in verdict.backends]
    if any(each.outcome == "differs" for each in backends):
        return ParityFailed.exit_code
    return next((each.exit_code for each in backends if each.exit_code), 0)
