"""Lets backends predict the same batch with the same weights, and compares."""

from collections.abc import Mapping
from contextlib import ExitStack

import numpy as np

from keras_bench.errors import BenchError
from keras_bench.measure.parity_workers import Learner
from keras_bench.measure.process import Launcher
from keras_bench.measure.variables import threads_each
from keras_bench.parity.predictions import Prediction, judge_predictions
from keras_bench.records import Parity
from keras_bench.worker.protocol import Predictions, PredictionsRequest


def check_predictions(
    learners: Mapping[str, Learner], seed: int, threads: str, workers: Launcher
) -> tuple[dict[str, Parity], dict[str, BenchError]]:
    """Let all predict with the first one's weights; return each one's parity, and the failures.

    A backend whose worker fails is unchecked; the others go on.
    """
    seen: dict[str, Prediction] = {}
    failures: dict[str, BenchError] = {}
    waiting = list(learners)
    given: str | None = None
    while waiting:
        # The first that works gives its weights; then all others predict at the same time.
        together = waiting if given is not None else waiting[:1]
        waiting = waiting[len(together) :]
        with ExitStack() as stack:
            started = {}
            for name in together:
                learner = learners[name]
                request = PredictionsRequest(
                    workload=learner.workload,
                    backend=learner.backend,
                    seed=seed,
                    threads=threads_each(threads, len(learners)),
                    given=given,
                    file=str(workers.folder / f"predictions-{list(learners).index(name)}.npz"),
                )
                try:
                    started[name] = stack.enter_context(workers.start(learner.python, request))
                except BenchError as error:
                    failures[name] = error
            for name, worker in started.items():
                try:
                    answer = worker.answer(Predictions)
                    seen[name] = _read(answer)
                    given = given or answer.file
                except BenchError as error:
                    failures[name] = error
    found = judge_predictions(seen)
    for name, failure in failures.items():
        summary = f"{name} is unchecked: {failure}"
        found[name] = Parity("unchecked", summary, exit_code=failure.exit_code)
    return found, failures


def _read(answer: Predictions) -> Prediction:
    with np.load(answer.file) as arrays:
        count = sum(name.startswith("output/") for name in arrays)
        return Prediction(
            tuple(arrays[f"output/{place}"] for place in range(count)),
            tuple(float(arrays[f"spread/{place}"]) for place in range(count)),
            answer.precision,
        )
