"""What every worker does first: import Keras, load the workload, build its model."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from keras_bench.worker.data import Data, make_data
from keras_bench.worker.frameworks import import_keras
from keras_bench.worker.protocol import STAGES_BEFORE, Request
from keras_bench.worker.random_data import make_random_data
from keras_bench.worker.workload import Parts, build_model, load_workload


@dataclass(frozen=True)
class Prepared:
    """A workload's compiled model with its data, and how long Keras and the model took.

    The data are made up where the workload has none of its own.
    """

    keras: Any
    parts: Parts
    model: Any
    data: Data
    import_seconds: float
    build_seconds: float


def prepare(request: Request, enter: Callable[[str], None]) -> Prepared:
    """Make all that a request is about, and tell each stage; raise Refusal for the user's faults.

    The seed is set before the data are made: theirs and the weights' random numbers come of it.
    """
    importing, loading, building = STAGES_BEFORE

    enter(importing)
    start = perf_counter()
    keras = import_keras(request)
    import_seconds = perf_counter() - start

    enter(loading)
    parts = load_workload(request.workload)
    keras.utils.set_random_seed(request.seed)
    data = make_data(parts, request.seed)

    enter(building)
    start = perf_counter()
    model = build_model(parts, keras)
    build_seconds = perf_counter() - start
    data = data or make_random_data(keras, model, parts.fit, request.seed)
    return Prepared(keras, parts, model, data, import_seconds, build_seconds)
