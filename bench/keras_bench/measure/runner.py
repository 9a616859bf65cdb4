"""Carries rounds out: a fresh worker for each assignment, and a record of what came of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from keras_bench.errors import BenchError, Unsupported
from keras_bench.measure.variables import thread_count
from keras_bench.records import Arm, ArmResult, Assignment, Failure, Sample, Task
from keras_bench.worker.protocol import PredictingRequest, Request, TimingRequest, Workload

RunWorker = Callable[[str, Request], Sample]


@dataclass(frozen=True)
class Target:
    """Where an arm is found on this machine: paths, which records do without.

    `busy_wait_seconds` is added to every epoch, to see whether such a slowdown is found.
    """

    python: str
    workload: Workload
    busy_wait_seconds: float = 0.0


@dataclass(frozen=True)
class Starting:
    """A worker is about to start, or some that take turns, at this place of so many."""

    name: str
    place: int
    of: int


@dataclass(frozen=True)
class Outcome:
    """What came of one assignment of a round: a sample or an error."""

    round: int
    arm: Arm
    result: Sample | BenchError


def carry_out(
    number: int,
    assignments: tuple[Assignment, ...],
    targets: Mapping[Arm, Target],
    seed: int,
    run_worker: RunWorker,
) -> Iterator[Starting | Outcome]:
    """Run the round of this number, a worker after the other; yield before each and after."""
    for place, assignment in enumerate(assignments, start=1):
        arm, target = assignment.arm, targets[assignment.arm]
        yield Starting(arm.name, place, len(assignments))
        request = _request(assignment, target.workload, seed)
        result: Sample | BenchError
        try:
            result = replace(run_worker(target.python, request), round=number)
        except BenchError as error:
            result = error
        yield Outcome(number, arm, result)


def _request(assignment: Assignment, workload: Workload, seed: int) -> Request:
    """Return what a worker is asked for."""
    arm = assignment.arm
    by_task: dict[Task, Callable[..., Request]] = {
        "train": partial(TimingRequest, loop=arm.loop),
        "predict": PredictingRequest,
    }
    return by_task[arm.task](
        workload=workload,
        backend=arm.backend,
        seed=seed,
        threads=thread_count(arm.threads),
        least_epochs=assignment.least_epochs,
        epochs=assignment.epochs,
        time_limit_seconds=assignment.time_limit_seconds,
    )


def grown(results: tuple[ArmResult, ...], outcome: Outcome) -> tuple[ArmResult, ...]:
    """Return the results with what came of one more worker.

    An arm that fails keeps its samples so far; it is for the plan to give it no further worker.
    """

    def one(known: ArmResult) -> ArmResult:
        if known.arm != outcome.arm:
            return known
        if isinstance(outcome.result, Sample):
            return replace(known, samples=(*known.samples, outcome.result))
        error = outcome.result
        # What a backend has trained before it isn't unable to train.
        unsupported = isinstance(error, Unsupported) and not known.samples
        failure = Failure(outcome.round, str(error), error.exit_code, unsupported)
        return replace(known, failure=failure)

    return tuple(one(known) for known in results)
