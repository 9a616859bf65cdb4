"""Measures environments against each other: what `gate` and `versions` have in common."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.diagnosis import diagnose, without_folders
from keras_bench.analyze.gate_plan import next_round
from keras_bench.analyze.history import Kind
from keras_bench.analyze.pairs import pairs, that_count
from keras_bench.commands.parity_first import check_first
from keras_bench.commands.rounds import group_settings, measure_rounds
from keras_bench.environments.finding import Environments, Place
from keras_bench.environments.interpreters import Interpreter, probe, require
from keras_bench.environments.specs import RevisionSpec, parse_spec
from keras_bench.errors import BackendError, ResultsUnwritable, UsageError, WorkloadError
from keras_bench.measure import workloads
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.machine import quiet_core, this_machine
from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import launcher
from keras_bench.measure.surroundings import examine
from keras_bench.records import Arm, ArmResult, Environment, Failure, Gate, GateSettings, Selection
from keras_bench.report.gate import draw_gate
from keras_bench.report.progress import make_progress
from keras_bench.report.terminal import about_to_wait, print_warnings
from keras_bench.store.files import own_name
from keras_bench.store.gates import gate_file, save
from keras_bench.store.history import append
from keras_bench.worker.protocol import Workload

#: What a side without an interpreter that answers is called by, in the place of its versions.
UNKNOWN = Environment("unknown", ())


@dataclass(frozen=True)
class Side:
    """One environment of those that are compared: what a user writes for it.

    `workloads` is the folder that holds its version of the workloads, None for those that all
    sides share.
    """

    label: str
    backend: str
    spec: str
    workloads: Path | None = None


@dataclass(frozen=True)
class Probed:
    """A side, and the interpreter found there or why there is none.

    `place` says what a git revision brings; None where there is no interpreter.
    """

    side: Side
    interpreter: Interpreter | BackendError
    place: Place | None = None


def workloads_of(probed: Probed, selection: Selection) -> tuple[Workload, ...]:
    """Return the workloads that a side trains, those of a git revision as they were.

    Raises:
        UsageError, WorkloadError: one isn't there.
    """
    folder, place = probed.side.workloads, probed.place
    if folder is not None or place is None:
        return workloads.find(selection, folder)
    chosen = workloads.find(selection, place.workloads)
    if place.checkout is None:
        return chosen
    top, unpacked = place.checkout.top, place.checkout.unpacked
    return tuple(
        workloads.as_it_was(workload, top, unpacked, probed.side.spec) for workload in chosen
    )


def required_by(selection: Selection, sides: Sequence[Side]) -> tuple[str | Path, ...]:
    """Return what the workloads of all sides ask for, which all their environments get.

    Those of a git revision aren't there yet: the files that lie here speak for them, if any.

    Raises:
        UsageError, WorkloadError: a side's workloads aren't there, or ask for what is none.
    """
    found: list[str | Path] = []
    for side in sides:
        try:
            chosen = workloads.find(selection, side.workloads)
        except (UsageError, WorkloadError):
            if side.workloads is None and isinstance(parse_spec(side.spec), RevisionSpec):
                continue
            raise
        found += workloads.requirements(chosen)
    return tuple(dict.fromkeys(found))


def probe_sides(sides: Sequence[Side], finder: Environments) -> tuple[Probed, ...]:
    """Find or make every side's environment, and ask what it holds.

    Raises:
        UsageError: a spec is none.
    """
    return tuple(_probed(side, finder) for side in sides)


def say_what_revisions_bring(
    console: Console, selection: Selection, sides: Sequence[Probed]
) -> None:
    """Say of each git revision whether its package is installed, and its workloads are trained.

    Raises:
        UsageError: a revision brings neither.
        WorkloadError: a workload wasn't there.
    """
    for probed in sides:
        side, place = probed.side, probed.place
        if place is None or (place.workloads is None and place.checkout is None):
            continue
        brings = [place.holds] if place.holds else []
        trained = workloads_of(probed, selection)
        if place.workloads is not None or trained != workloads.find(selection, side.workloads):
            brings.append("its workloads")
        if not brings:
            reason = "is no Python project, and no workload lies in it, so it changes nothing"
            raise UsageError(side.spec, reason, "name another repository, or your own files")
        line = f"{side.label} on {side.backend}: of {side.spec}, {' and '.join(brings)}"
        console.print(Text(line))


def measure_sides(
    console: Console,
    selection: Selection,
    sides: Sequence[Probed],
    settings: GateSettings,
    variables: Sequence[str],
    results_folder: Path,
    debug: bool,
) -> Gate:
    """Measure the workloads on all sides; a side without an interpreter is a failed arm.

    `variables` are the names of those that workers get besides.

    Raises:
        UsageError, WorkloadError: before anything is measured.
    """
    results, targets = _arms(selection, sides, settings)
    found = {
        probed.side.label + probed.side.backend: probed.interpreter
        for probed in sides
        if isinstance(probed.interpreter, Interpreter)
    }
    settings = replace(settings, cpu=quiet_core() if settings.threads == "single" else None)
    with (
        machine_lock(about_to_wait(console)),
        launcher(settings.timeout_seconds, variables) as workers,
        ExitStack() as names,
    ):
        seen = examine(found)
        print_warnings(console, diagnose(seen))
        measured = Gate(
            started_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            machine=this_machine(),
            settings=settings,
            results=results,
            surroundings=without_folders(seen),
        )
        start = time.monotonic()
        measured = names.enter_context(own_name(measured, results_folder / "gates"))
        if settings.parity:
            checked = check_first(
                console, results, _groups(targets), targets, _side_name, settings.seed, workers,
                debug,
            )  # fmt: skip
            measured = replace(measured, results=checked)
        with make_progress(console, draw_gate, debug) as progress:
            return measure_rounds(
                measured,
                next_round,
                targets,
                group_settings(settings),
                workers,
                progress,
                partial(_save_so_far, results=results_folder),
                start,
            )


def _save_so_far(gate: Gate, results: Path) -> None:
    """Save what was measured, so that not even a power cut loses more than a round."""
    # Where it fails, the end tries again and says so.
    with suppress(ResultsUnwritable):
        save(gate, pairs(gate), gate_file(gate, results))


def record(gate: Gate, kind: Kind, results: Path) -> None:
    """Add what was measured and counts to the history; raise ResultsUnwritable."""
    append(
        that_count(gate),
        started_utc=gate.started_utc,
        machine=gate.machine,
        kind=kind,
        results_folder=results,
    )


def _groups(arms: Iterable[Arm]) -> list[list[Arm]]:
    """Return the arms that are to learn the same: those of one workload and backend."""
    groups: dict[tuple[str, str], list[Arm]] = {}
    for arm in arms:
        groups.setdefault(arm.group, []).append(arm)
    return list(groups.values())


def _side_name(arm: Arm) -> str:
    return f"{arm.environment.label} on {arm.backend}"


def _probed(side: Side, finder: Environments) -> Probed:
    try:
        place = finder.place(side.spec, side.backend)
        interpreter = probe({side.label: place.python})[side.label]
        require(interpreter, side.backend, f"for {side.label}")
    except BackendError as error:
        return Probed(side, error)
    labelled = replace(interpreter.environment, label=side.label)
    return Probed(side, replace(interpreter, environment=labelled), place)


def _arms(
    selection: Selection, sides: Sequence[Probed], settings: GateSettings
) -> tuple[tuple[ArmResult, ...], Mapping[Arm, Target]]:
    """Return an arm for each workload and side, a failed one where there is no interpreter."""
    results, targets = [], {}
    chosen = [workloads_of(probed, selection) for probed in sides]
    for versions in zip(*chosen, strict=True):
        for probed, workload in zip(sides, versions, strict=True):
            side, interpreter = probed.side, probed.interpreter
            environment = (
                interpreter.environment
                if isinstance(interpreter, Interpreter)
                else replace(UNKNOWN, label=side.label)
            )
            arm = Arm(workload.name, side.backend, environment, settings.threads, settings.loop)
            if isinstance(interpreter, Interpreter):
                targets[arm] = Target(interpreter.python, workload)
                results.append(ArmResult(arm))
            else:
                failure = Failure(0, str(interpreter), interpreter.exit_code)
                results.append(ArmResult(arm, failure=failure))
    return tuple(results), targets
