"""Measures one arm for pytest-benchmark, which counts the rounds and works out the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.commands.rounds import group_settings
from keras_bench.environments.interpreters import Interpreter
from keras_bench.errors import BenchError
from keras_bench.measure.group import measure_groups
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.machine import this_machine
from keras_bench.measure.outcomes import Outcome, Target, grown
from keras_bench.measure.process import Launcher, launcher
from keras_bench.records import Arm, ArmResult, Settings
from keras_bench.store import runs
from keras_bench.worker.protocol import Workload


class TimedRounds:
    """Rounds of one arm, each a fresh process, and the clock that they are timed by."""

    def __init__(self, arm: Arm, target: Target, settings: Settings, workers: Launcher) -> None:
        self._results: tuple[ArmResult, ...] = (ArmResult(arm),)
        self._targets = {arm: target}
        self._settings = settings
        self._workers = workers
        self._clock_seconds = 0.0

    def clock(self) -> float:
        """Return the sum of what an epoch took in each round, in seconds.

        It stands still but for `measure`, so what passes on it during a round is the worker's own
        measurement, without the start of the process, compilation and warm-up.
        """
        return self._clock_seconds

    def measure(self) -> None:
        """Measure one more round; raise BenchError where its worker fails."""
        (result,) = self._results
        number = len(result.samples) + 1
        groups, seed = [(result.arm,)], self._settings.seed
        for event in measure_groups(
            number, groups, self._targets, {}, seed, group_settings(self._settings), self._workers
        ):
            if isinstance(event, Outcome):
                if isinstance(event.result, BenchError):
                    raise event.result
                self._results = grown(self._results, event)
                self._clock_seconds += process_epoch_seconds([event.result])[0]

    def extra_info(self) -> dict[str, Any]:
        """Return the arm, its samples whole, and the machine's fingerprint, as plain values."""
        (result,) = self._results
        return {**runs.extra_info(result), "machine_fingerprint": this_machine().fingerprint}


@contextmanager
def timed_rounds(
    workload: Workload,
    backend: str,
    interpreter: Interpreter,
    about_to_wait: Callable[[str], None],
) -> Iterator[TimedRounds]:
    """Hold the machine for the rounds of one arm, as a run does."""
    settings = Settings()
    arm = Arm(workload.name, backend, interpreter.environment, settings.threads)
    target = Target(interpreter.python, workload)
    with machine_lock(about_to_wait), launcher(settings.timeout_seconds) as workers:
        yield TimedRounds(arm, target, settings, workers)
