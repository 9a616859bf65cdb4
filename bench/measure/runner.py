"""Carries rounds out: a fresh worker for each assignment, and a record of what came of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError
from bench.measure.environments import thread_count
from bench.records import Arm, ArmResult, Assignment, Failure, Run, Sample
from bench.worker.protocol import TimingRequest


@dataclass(frozen=True)
class Target:
    """Where an arm is found on this machine: paths, which records do without."""

    python: str
    workload_file: Path


@dataclass(frozen=True)
class Starting:
    """A worker is about to start, the one at this place of so many in the round."""

    arm: Arm
    place: int
    of: int


@dataclass(frozen=True)
class Outcome:
    """What came of one assignment: a sample or an error, and the run that now holds it."""

    run: Run
    arm: Arm
    result: Sample | BenchError


def carry_out(
    run: Run,
    assignments: tuple[Assignment, ...],
    targets: Mapping[Arm, Target],
    run_worker: Callable[[str, TimingRequest], Sample],
) -> Iterator[Starting | Outcome]:
    """Run one round, a worker after the other; yield before each start and after each end.

    An arm that fails gets no further worker; its samples so far stay, and the others go on.
    The last outcome's run counts the round as done.
    """
    number = run.rounds + 1
    for place, assignment in enumerate(assignments, start=1):
        arm = assignment.arm
        yield Starting(arm, place, len(assignments))
        request = TimingRequest(
            workload_file=str(targets[arm].workload_file),
            backend=arm.backend,
            seed=run.settings.seed,
            least_epochs=assignment.least_epochs,
            epochs=assignment.epochs,
            time_limit_seconds=assignment.time_limit_seconds,
            threads=thread_count(arm.threads),
        )
        result: Sample | BenchError
        try:
            result = replace(run_worker(targets[arm].python, request), round=number)
        except BenchError as error:
            result = error
        run = _with(run, arm, result, number)
        if place == len(assignments):
            run = replace(run, rounds=number)
        yield Outcome(run, arm, result)


def _with(run: Run, arm: Arm, result: Sample | BenchError, number: int) -> Run:
    def grown(known: ArmResult) -> ArmResult:
        if known.arm != arm:
            return known
        if isinstance(result, Sample):
            return replace(known, samples=(*known.samples, result))
        return replace(known, failure=Failure(number, str(result), result.exit_code))

    return replace(run, results=tuple(grown(known) for known in run.results))
