"""Measures round after round, until the plan ends or the user does."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from keras_bench.analyze.plan import Stop
from keras_bench.measure.runner import Outcome, Starting, grown
from keras_bench.report.progress import Measured, Progress

#: What a round is made of, as the plan and what carries it out have it between them.
Plan = TypeVar("Plan", bound=tuple[object, ...])


def measure_rounds(
    measured: Measured,
    next_round: Callable[[Measured, float], Plan | Stop],
    carry_out: Callable[[int, Plan], Iterator[Starting | Outcome]],
    progress: Progress[Measured],
    after_round: Callable[[Measured], None],
    start: float,
) -> Measured:
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
            for event in carry_out(number, plan):
                measured = replace(measured, elapsed_seconds=time.monotonic() - start)
                if isinstance(event, Starting):
                    progress.starting(event.name, event.place, event.of, measured)
                else:
                    measured = replace(measured, results=grown(measured.results, event))
                    progress.finished(event.arm, event.result, measured)
            measured = replace(measured, rounds=number)
            after_round(measured)
    except KeyboardInterrupt:
        elapsed_seconds = time.monotonic() - start
        return replace(
            measured, elapsed_seconds=elapsed_seconds, complete=False, stopped="interrupted"
        )
