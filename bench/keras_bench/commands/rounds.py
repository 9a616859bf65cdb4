"""Measures round after round, until the plan ends or the user does."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from keras_bench.analyze.plan import Groups, Stop
from keras_bench.analyze.slices import known_slice_seconds
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS
from keras_bench.measure.group import GroupSettings, measure_groups
from keras_bench.measure.outcomes import Starting, Target, grown
from keras_bench.measure.process import Launcher
from keras_bench.records import Arm, GateSettings, Settings
from keras_bench.report.progress import Progress, RunOrGate

#: Rounds of a run in which workers start one after another. Those after them take two thirds of the
#: time, which ratios need more than imports and first epochs do.
ROUNDS_ALONE = 1


def group_settings(settings: Settings | GateSettings) -> GroupSettings:
    """Return how a round measures its groups.

    A run shows imports and first epochs, which one process of each arm tells well enough; a gate
    compares epochs only, and saves the time.
    """
    return GroupSettings(
        uncounted_epochs=UNCOUNTED_EPOCHS,
        training_seconds=settings.training_seconds,
        cpu=settings.cpu if isinstance(settings, GateSettings) else None,
        rounds_alone=ROUNDS_ALONE if isinstance(settings, Settings) else 0,
    )


def measure_rounds(
    measured: RunOrGate,
    next_round: Callable[[RunOrGate, float], Groups | Stop],
    targets: Mapping[Arm, Target],
    group_settings: GroupSettings,
    workers: Launcher,
    progress: Progress[RunOrGate],
    after_round: Callable[[RunOrGate], None],
    start: float,
) -> RunOrGate:
    """Carry out the rounds that are planned; return all that was measured, even if interrupted.

    The time that counts as elapsed runs from `start`, by `time.monotonic`.
    """
    try:
        while True:
            measured = replace(measured, elapsed_seconds=time.monotonic() - start)
            plan = next_round(measured, measured.elapsed_seconds)
            if isinstance(plan, Stop):
                return replace(measured, complete=True, stopped=plan.reason)
            number = measured.rounds + 1
            slices = known_slice_seconds(measured.results)
            seed = measured.settings.seed
            for event in measure_groups(
                number, plan, targets, slices, seed, group_settings, workers
            ):
                measured = replace(measured, elapsed_seconds=time.monotonic() - start)
                if isinstance(event, Starting):
                    progress.starting(event.name, event.place, event.of, measured)
                else:
                    measured = replace(measured, results=grown(measured.results, event))
                    progress.finished(event.arm, event.result, measured)
            measured = replace(measured, rounds=number)
            after_round(measured)
    except Exception:
        # The samples that were measured before the fault are kept.
        after_round(measured)
        raise
    except KeyboardInterrupt:
        elapsed_seconds = time.monotonic() - start
        return replace(
            measured, elapsed_seconds=elapsed_seconds, complete=False, stopped="interrupted"
        )
