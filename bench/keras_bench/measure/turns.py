"""Times several arms at once: their workers are alive together and train in turn.

A machine's speed wanders by some per cent within seconds. What two workers show one after the
other differs by that much; what they show in turn, epoch by epoch, shares it. While one trains
the others wait and use nothing. They start side by side, which costs hardly more than one start.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from keras_bench.errors import BenchError
from keras_bench.measure.process import Launcher, Worker
from keras_bench.measure.runner import Outcome, Starting, Target
from keras_bench.measure.surroundings import other_cpu_seconds
from keras_bench.measure.variables import thread_count
from keras_bench.records import Arm, Sample
from keras_bench.worker.protocol import STOP, TimingRequest, Turn

#: Turns are at least this long: the first moments of one are spent on a cold cache.
LEAST_TURN_SECONDS = 0.05

#: More epochs than any worker is ever told to train.
NO_END = 1_000_000


@dataclass(frozen=True)
class TurnSettings:
    """How the workers of a group take turns.

    Every worker trains `uncounted_epochs` freely; then each gets a turn, and another, until
    there were `least_turns` and the epochs of each took `training_seconds`. `cpu` is the core that
    all are pinned to before the first turn, None for none.
    """

    uncounted_epochs: int
    least_turns: int
    training_seconds: float
    cpu: int | None


def carry_out_in_turns(
    number: int,
    groups: Sequence[Sequence[Arm]],
    targets: Mapping[Arm, Target],
    seed: int,
    settings: TurnSettings,
    workers: Launcher,
) -> Iterator[Starting | Outcome]:
    """Run the round of this number, a group after the other; yield before each and after.

    The arms of a group are in the order of their first turns. If one fails there is no sample
    of the others either, for they have nothing to be compared with.
    """
    for place, arms in enumerate(groups, start=1):
        yield Starting(_name(arms), place, len(groups))
        for arm, result in _time_group(arms, targets, seed, settings, workers).items():
            if isinstance(result, Sample):
                result = replace(result, round=number)
            yield Outcome(number, arm, result)


def _name(arms: Sequence[Arm]) -> str:
    names = ", ".join(arm.environment.label for arm in arms)
    return f"{arms[0].workload}[{arms[0].contender}], in turn: {names}"


def _time_group(
    arms: Sequence[Arm],
    targets: Mapping[Arm, Target],
    seed: int,
    settings: TurnSettings,
    workers: Launcher,
) -> Mapping[Arm, Sample | BenchError]:
    """Return a sample of each arm, or the error of the first that failed."""
    start, others_before = time.perf_counter(), other_cpu_seconds()
    started: dict[Arm, Worker] = {}
    epoch_seconds: dict[Arm, float] = {}
    samples: dict[Arm, Sample] = {}
    with ExitStack() as stack:
        try:
            for arm in arms:
                request = _request(arm, targets[arm], seed, settings)
                started[arm] = stack.enter_context(workers.start(targets[arm].python, request))
            for arm in arms:
                epoch_seconds[arm] = started[arm].answer(Turn).epoch_seconds
            end = time.perf_counter() + settings.training_seconds * len(arms)
            turns = 0
            while turns < settings.least_turns or time.perf_counter() < end:
                turn_epochs = math.ceil(LEAST_TURN_SECONDS / min(epoch_seconds.values()))
                # There and back again: a steady drift falls on all alike.
                for arm in arms if turns % 2 == 0 else reversed(arms):
                    started[arm].tell(str(turn_epochs))
                    epoch_seconds[arm] = started[arm].answer(Turn).epoch_seconds
                turns += 1
            for arm in arms:
                started[arm].tell(STOP)
                samples[arm] = started[arm].answer(Sample)
        except BenchError as error:
            return {arm: error}
        process_seconds = time.perf_counter() - start
    # Now that the workers have ended, their own CPU time is known.
    others = max(0.0, other_cpu_seconds() - others_before)
    busy = others / (time.perf_counter() - start)
    return {
        arm: replace(sample, process_seconds=process_seconds, other_busy_cores=busy)
        for arm, sample in samples.items()
    }


def _request(arm: Arm, target: Target, seed: int, settings: TurnSettings) -> TimingRequest:
    return TimingRequest(
        workload=target.workload,
        backend=arm.backend,
        seed=seed,
        epochs=NO_END,
        threads=thread_count(arm.threads),
        busy_wait_seconds=target.busy_wait_seconds,
        turns_after_epochs=settings.uncounted_epochs,
        cpu=settings.cpu,
        loop=arm.loop,
    )
