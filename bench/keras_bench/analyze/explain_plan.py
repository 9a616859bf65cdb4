"""What an explanation measures: `fit`, what splits its epoch, and what may be faster.

All go into the same group. What is plainly slower gets no second process, and what takes long to
start comes once the others are known.
"""

import random
from dataclasses import replace

from keras_bench.analyze.plan import Groups, Stop, round_seconds
from keras_bench.analyze.ratios import process_times, ratio_of
from keras_bench.records import DATA_LOOP, FLOOR_LOOP, JIT_LOOPS, Arm, ArmResult, Run

#: Processes of each arm that is still wanted, whatever the precision.
MIN_PROCESSES = 3

#: A loop that takes so many times as long as `fit` in its first process isn't tried again.
HOPELESS = 1.3

#: What an epoch is split by, which no one is advised to train by.
SPLITTING_LOOPS = (FLOOR_LOOP, DATA_LOOP)

#: Steps per execution that are tried; a release of Keras may refuse them on a backend.
STEPS_PER_EXECUTION = (8, 32)


def arms_to_explain(fit: Arm, others: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """Return the arms to measure: `fit` first, and at the end others that the user names."""

    def by(loop: str) -> Arm:
        return replace(fit, loop=loop)

    # Without XLA, JAX would carry out every operation by itself: nobody wants to wait for that.
    jit = [loop for loop, compiled in JIT_LOOPS.items() if compiled or fit.backend != "jax"]
    several = [by(f"fit:{steps}") for steps in STEPS_PER_EXECUTION]
    found = [fit, by("bare"), by("fused"), by("batch"), *several]
    if fit.backend == "tensorflow":
        found.append(by(DATA_LOOP))
    if fit.threads != "single":
        # The label tells it from the other arm that trains by fit.
        found.append(
            replace(fit, threads="single", environment=replace(fit.environment, label="one thread"))
        )
    return (*found, *map(by, jit), *others)


def next_round(run: Run, elapsed_seconds: float) -> Groups | Stop:
    """Return a group of `fit`, the run's first arm, and all that is still wanted, or the end."""
    fit = run.results[0]
    if fit.failure is not None:
        return Stop("failed")
    wanted = [each for each in run.results[1:] if _is_wanted(each, fit, run)]
    if run.rounds >= MIN_PROCESSES and not wanted:
        return Stop("precise")
    if run.rounds > 0:
        left_seconds = (run.settings.budget_seconds or 0.0) - elapsed_seconds
        wanted = _affordable(wanted, run, left_seconds)
        if not wanted and (
            run.rounds >= MIN_PROCESSES or round_seconds([fit], run.results) > left_seconds
        ):
            return Stop("budget")
    chance = random.Random(f"{run.settings.seed} {run.rounds}")
    arms = [each.arm for each in (fit, *wanted)]
    return (tuple(chance.sample(arms, len(arms))),)


def _is_wanted(result: ArmResult, fit: ArmResult, run: Run) -> bool:
    if result.failure is not None:
        return False
    if result.arm.loop in JIT_LOOPS and not _is_its_turn(result.arm, fit, run):
        return False
    if not result.samples:
        return True
    versus = ratio_of(process_times(result.samples), process_times(fit.samples))
    splits = result.arm.loop in SPLITTING_LOOPS
    if versus is None:
        return True
    if versus.value > HOPELESS and not splits:
        return False
    return len(result.samples) < MIN_PROCESSES or versus.half_width > run.settings.precision


def _is_its_turn(arm: Arm, fit: ArmResult, run: Run) -> bool:
    """Tell whether to compile otherwise than `fit` does; on torch that takes half a minute."""
    if run.rounds < MIN_PROCESSES:
        return False
    return JIT_LOOPS[arm.loop] != fit.samples[0].jit_compile


def _affordable(wanted: list[ArmResult], run: Run, left_seconds: float) -> list[ArmResult]:
    """Return those that the rest of the budget is enough for, beside `fit`.

    The least measured come first.
    """
    chosen: list[ArmResult] = []
    for result in sorted(wanted, key=lambda each: len(each.samples)):
        if round_seconds([run.results[0], *chosen, result], run.results) <= left_seconds:
            chosen.append(result)
    return chosen
