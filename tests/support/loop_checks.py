"""Loops compared with fit on a backend's real interpreter."""

from pathlib import Path

from builders import workload_in

from keras_bench.measure.loop_parity import check_loops
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.process import launcher
from keras_bench.parity.loops import LoopVerdict


def verdicts_on_jax(
    python: str, file: Path, *loops: str, **settings: int
) -> dict[str, LoopVerdict]:
    """Return what came of each loop on JAX, by its name; all are checked in one worker."""
    learners = {"jax": Learner("jax", python, workload_in(file))}
    with launcher(timeout_seconds=600.0) as workers:
        found = check_loops(learners, {"jax": loops}, ParitySettings(**settings), workers)
    return {loop: found["jax", loop] for loop in loops}
