"""What a round is told of: where its arms are found, and what came of each."""

from dataclasses import dataclass, replace

from keras_bench.errors import BenchError, Unsupported
from keras_bench.records import Arm, ArmResult, Failure, Sample
from keras_bench.worker.protocol import Workload


@dataclass(frozen=True)
class Target:
    """Where an arm is found on this machine: paths, which records do without.

    `added_cpu_seconds` are added to every epoch, to see whether such a slowdown is found.
    """

    python: str
    workload: Workload
    added_cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Starting:
    """A worker is about to start, or a group of them, at this place of so many."""

    name: str
    place: int
    of: int


@dataclass(frozen=True)
class Outcome:
    """What came of one arm in a round: a sample or an error."""

    round: int
    arm: Arm
    result: Sample | BenchError


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
