"""What an explanation measures: `fit`, what splits its epoch, and what may be faster.

All go into the same rounds. What is plainly slower gets no second process, and what takes long to
start comes once the others are known.
"""

import random
from dataclasses import replace

from keras_bench.analyze.plan import LEAST_EPOCHS, Stop
from keras_bench.analyze.repetitions import epoch_cost_seconds, process_cost_seconds, steady_epochs
from keras_bench.analyze.stats import ratio
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS, process_epoch_seconds
from keras_bench.records import DATA_LOOP, FLOOR_LOOP, JIT_LOOPS, Arm, ArmResult, Assignment, Run

#: Processes of each arm that is still wanted, whatever the precision.
MIN_PROCESSES = 3

#: A loop that takes so many times as long as `fit` in its first process isn't tried again.
HOPELESS = 1.3

#: How long a first process trains at the most, once it has trained an epoch that counts.
FIRST_PROCESS_SECONDS = 4.0

#: What an epoch is split by, which no one is advised to train by.
SPLITTING_LOOPS = (FLOOR_LOOP, DATA_LOOP)

#: Steps per execution that are tried, but on torch, where Keras takes none but 1.
STEPS_PER_EXECUTION = (8, 32)


def arms_to_explain(fit: Arm, others: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """Return the arms to measure: `fit` first, and at the end others that the user names."""

    def by(loop: str) -> Arm:
        return replace(fit, loop=loop)

    steps = () if fit.backend == "torch" else STEPS_PER_EXECUTION
    # Without XLA, JAX would carry out every operation by itself: nobody wants to wait for that.
    jit = [loop for loop, compiled in JIT_LOOPS.items() if compiled or fit.backend != "jax"]
    found = [fit, by("bare"), by("fused"), by("batch"), *(by(f"fit:{each}") for each in steps)]
    if fit.backend == "tensorflow":
        found.append(by(DATA_LOOP))
    if fit.threads != "single":
        # The label tells it from the other arm that trains by fit.
        found.append(
            replace(fit, threads="single", environment=replace(fit.environment, label="one thread"))
        )
    return (*found, *map(by, jit), *others)


def next_round(run: Run, elapsed_seconds: float) -> tuple[Assignment, ...] | Stop:
    """Return a worker for `fit`, the run's first arm, and for each that is still wanted."""
    fit = run.results[0]
    if fit.failure is not None:
        return Stop("failed")
    wanted = [each for each in run.results[1:] if _is_wanted(each, fit, run)]
    if run.rounds >= MIN_PROCESSES and not wanted:
        return Stop("precise")
    if run.rounds > 0:
        wanted = _affordable(fit, wanted, run, elapsed_seconds)
        if not wanted and (run.rounds >= MIN_PROCESSES or not _fits(fit, run, elapsed_seconds)):
            return Stop("budget")
    assignments = [_process(each, run) for each in (fit, *wanted)]
    random.Random(f"{run.settings.seed} {run.rounds}").shuffle(assignments)
    return tuple(assignments)


def _is_wanted(result: ArmResult, fit: ArmResult, run: Run) -> bool:
    if result.failure is not None:
        return False
    if result.arm.loop in JIT_LOOPS and not _is_its_turn(result.arm, fit, run):
        return False
    if not result.samples:
        return True
    seconds, of_fit = map(process_epoch_seconds, (result.samples, fit.samples))
    versus = ratio(seconds, of_fit)
    splits = result.arm.loop in SPLITTING_LOOPS
    if versus.value > HOPELESS and not splits:
        return False
    return len(result.samples) < MIN_PROCESSES or versus.half_width > run.settings.precision


def _is_its_turn(arm: Arm, fit: ArmResult, run: Run) -> bool:
    """Tell whether to compile otherwise than `fit` does; on torch that takes half a minute."""
    if run.rounds < MIN_PROCESSES:
        return False
    return JIT_LOOPS[arm.loop] != fit.samples[0].jit_compile


def _process(result: ArmResult, run: Run) -> Assignment:
    if not result.samples:
        return Assignment(result.arm, LEAST_EPOCHS, time_limit_seconds=FIRST_PROCESS_SECONDS)
    epochs = UNCOUNTED_EPOCHS + steady_epochs(result.samples, run.settings)
    return Assignment(result.arm, LEAST_EPOCHS, epochs)


def _affordable(
    fit: ArmResult, wanted: list[ArmResult], run: Run, elapsed_seconds: float
) -> list[ArmResult]:
    """Return those that the rest of the budget is enough for, beside `fit`.

    The least measured come first, and of these the cheap ones.
    """
    left = (run.settings.budget_seconds or 0.0) - elapsed_seconds - _cost_seconds(fit, run)
    chosen = []
    for result in sorted(wanted, key=lambda each: (len(each.samples), _cost_seconds(each, run))):
        cost = _cost_seconds(result, run)
        if cost <= left:
            chosen.append(result)
            left -= cost
    return chosen


def _fits(result: ArmResult, run: Run, elapsed_seconds: float) -> bool:
    return elapsed_seconds + _cost_seconds(result, run) <= (run.settings.budget_seconds or 0.0)


def _cost_seconds(result: ArmResult, run: Run) -> float:
    """Return what a further process costs: of an arm without any, as much as the dearest."""
    if not result.samples:
        return max(_cost_seconds(each, run) for each in run.results if each.samples)
    epochs = steady_epochs(result.samples, run.settings)
    return process_cost_seconds(result.samples) + epochs * epoch_cost_seconds(result.samples)
