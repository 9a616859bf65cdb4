"""Checks loops: a worker for each backend trains by `fit` and by every loop, and is compared."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_bench.errors import BenchError, LossDiverged, Uncheckable
from keras_bench.measure.parity import REMEDY
from keras_bench.measure.parity_workers import Learner, ParitySettings
from keras_bench.measure.problems import loop_failed, loop_refused
from keras_bench.measure.process import Launcher, Worker
from keras_bench.measure.variables import threads_each
from keras_bench.parity.loops import LoopVerdict, first_without_number, judge_loop
from keras_bench.parity.places import Place
from keras_bench.parity.reach import reach_of, read_reference
from keras_bench.parity.training import Reference
from keras_bench.parity.verdict import when
from keras_bench.worker.protocol import STEPS_APART, LoopParityRequest, LoopTraining, Observation

#: Epochs that are trained where nothing else is asked for: they show what isn't reset in between.
EPOCHS = 3

#: What is said where not even a step can be compared, and what is to be done.
HIDDEN = "rounding grows to a hundredth within one step, and would hide what a loop does otherwise"
GENTLER = "scale the data, lower the learning rate, or take larger batches to have it checked"


def check_loops(
    learners: Mapping[str, Learner],
    loops: Mapping[str, Sequence[str]],
    settings: ParitySettings,
    workers: Launcher,
    tell: Callable[[str], object] = lambda stage: None,
) -> dict[tuple[str, str], LoopVerdict]:
    """Let every learner train by `fit` and by its loops, all learners at the same time.

    Returns a verdict for each learner's name and loop. Where its worker fails, those it hasn't
    come to are unchecked; the others go on. `tell` hears of each training that is waited for.
    """
    found: dict[tuple[str, str], LoopVerdict] = {}

    def give_up(name: str, error: BenchError) -> None:
        for loop in loops[name]:
            if (name, loop) not in found:
                found[name, loop] = _unchecked(name, loop, error)

    started: dict[str, Worker] = {}
    with ExitStack() as stack:
        for place, name in enumerate(loops):
            learner = learners[name]
            folder = workers.folder / f"loops-{len(list(workers.folder.iterdir()))}-{place}"
            folder.mkdir()
            request = LoopParityRequest(
                workload=learner.workload,
                backend=learner.backend,
                seed=settings.seed,
                threads=threads_each(settings.threads, len(loops)),
                epochs=settings.epochs or EPOCHS,
                folder=str(folder),
            )
            try:
                started[name] = stack.enter_context(workers.start(learner.python, request))
            except BenchError as error:
                give_up(name, error)
        for name, worker in started.items():
            learner = learners[name]
            try:
                tell(f"training by fit on {name}")
                by_fit = _reference(worker, learner)
                for loop in loops[name]:
                    tell(f"training by {loop} on {name}")
                    worker.tell(loop)
                    found[name, loop] = _judge(
                        worker.answer(LoopTraining), name, loop, learner, by_fit, settings.tolerance
                    )
            except BenchError as error:
                give_up(name, error)
    return found


def _judge(
    answer: LoopTraining,
    name: str,
    loop: str,
    learner: Learner,
    by_fit: Reference,
    tolerance: float,
) -> LoopVerdict:
    if answer.refusal:
        refused = loop_refused(loop, learner.backend, answer.refusal)
        return _unchecked(name, loop, refused, unsupported=True)
    if answer.error:
        failed = loop_failed(loop, learner.workload, answer.error)
        failed.add_note(answer.traceback)
        return _unchecked(name, loop, failed)
    verdict = judge_loop(name, loop, _load(answer.file), by_fit, tolerance)
    if verdict.outcome == "unchecked":
        hidden = Uncheckable(f"{learner.workload.name} on {learner.backend}", HIDDEN, GENTLER)
        return replace(verdict, failure=str(hidden), exit_code=hidden.exit_code)
    return verdict


def _reference(worker: Worker, learner: Learner) -> Reference:
    """Return what `fit` gives, by steps as well where no epoch of it can be compared."""
    by_fit = _read(worker.answer(Observation).file, learner)
    if not reach_of(by_fit).epochs:
        worker.tell(STEPS_APART)
        steps = _read(worker.answer(Observation).file, learner)
        by_fit = Reference(by_fit.arrays | steps.arrays, by_fit.spread | steps.spread)
    return by_fit


def _read(file: str, learner: Learner) -> Reference:
    with np.load(file) as arrays:
        by_fit = read_reference(dict(arrays))
    place = first_without_number(by_fit)
    if place is not None:
        thing = f"{learner.workload.name} on {learner.backend}"
        raise LossDiverged(thing, f"{place.subject} of fit is no number {when(place)}", REMEDY)
    return by_fit


def _load(file: str) -> dict[Place, np.ndarray]:
    with np.load(Path(file)) as arrays:
        return {Place.from_key(key): array for key, array in arrays.items()}


def _unchecked(name: str, loop: str, error: BenchError, unsupported: bool = False) -> LoopVerdict:
    return LoopVerdict(
        name,
        loop,
        "unchecked",
        failure=str(error),
        exit_code=error.exit_code,
        unsupported=unsupported,
        traceback="\n".join(getattr(error, "__notes__", [])),
    )
