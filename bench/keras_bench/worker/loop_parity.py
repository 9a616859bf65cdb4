"""Trains a model by `fit` and by other loops from one start, and shows what each leaves.

Layers that draw random numbers stay on: the states of their seeds are part of the start, so all
loops of a backend must draw the same.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_bench.loops.refusals import LoopRefusal
from keras_bench.worker.loop_steps import State, steps_by, steps_by_fit
from keras_bench.worker.loop_subject import Seen, Subject, spread_of_all, subject_of
from keras_bench.worker.preparing import prepare
from keras_bench.worker.protocol import (
    STEPS_APART,
    TRAINING,
    LoopParityRequest,
    LoopTraining,
    Observation,
    Refusal,
)
from keras_bench.worker.refusals import refusal

#: Trainings by `fit` with numbers that are rounded at random.
REPLICAS = 4


def check_loops(
    request: LoopParityRequest,
    enter: Callable[[str], None],
    reply: Callable[[str, Any], None],
    hear: Callable[[], str],
) -> None:
    """Answer with what `fit` leaves and how far rounding moves it, then with what each loop does.

    It goes on until the process is ended.
    """
    subject = subject_of(prepare(request, enter), request)
    folder = Path(request.folder)
    enter(TRAINING)
    try:
        seen = subject.train("fit")
        randomness = np.random.default_rng(0)
        replicas = (subject.train("fit", randomness) for _ in range(REPLICAS))
        seen |= spread_of_all(seen, replicas)
    except Refusal:
        raise
    except Exception as error:
        raise refusal("training raises", error) from error
    reply("observation", Observation(_save(seen, folder / f"{request.backend}-fit.npz")))
    starts: list[State] = []
    while True:
        loop = hear().strip()
        if loop == STEPS_APART:
            try:
                seen, starts = steps_by_fit(subject, REPLICAS)
            except Exception as error:
                raise refusal("training on a batch by itself raises", error) from error
            file = folder / f"{request.backend}-steps.npz"
            reply("observation", Observation(_save(seen, file)))
            continue
        file = folder / f"{request.backend}-{loop.replace(':', '-')}.npz"
        reply("loop_training", _train_by(loop, subject, starts, file))


def _train_by(loop: str, subject: Subject, starts: list[State], file: Path) -> LoopTraining:
    try:
        seen = subject.train(loop) | steps_by(loop, subject, starts)
        return LoopTraining(file=_save(seen, file))
    except LoopRefusal as reason:
        return LoopTraining(refusal=str(reason))
    except Exception as error:
        return LoopTraining(
            error=str(refusal("training raises", error)), traceback=traceback.format_exc()
        )


def _save(seen: Seen, file: Path) -> str:
    np.savez(file, **seen)  # type: ignore[arg-type]
    return str(file)
