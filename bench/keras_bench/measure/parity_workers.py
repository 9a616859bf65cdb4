"""The workers of a parity check: a process for each learner, which carry out scripts together."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_bench.errors import BenchError
from keras_bench.measure.process import Launcher, Worker
from keras_bench.measure.variables import threads_each
from keras_bench.parity.blueprint import Blueprint
from keras_bench.parity.places import GIVEN, SPREAD, Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.training import Training
from keras_bench.worker.protocol import (
    ComparedRequest,
    Observation,
    Script,
    Workload,
    encode_script,
)

#: What a worker has left in a file, which is read where an array is asked for.
Arrays = Mapping[str, np.ndarray]


class ArraysAtPlaces(Mapping[Place, np.ndarray]):
    """The arrays of one or several files by their places, but for what tells of rounding.

    Those of a large model are too many to be held all at once.
    """

    def __init__(self, *files: Arrays) -> None:
        self._files = {
            Place.from_key(key): (file, key)
            for file in files
            for key in file
            if not key.startswith(SPREAD)
        }

    def __getitem__(self, place: Place) -> np.ndarray:
        file, key = self._files[place]
        return file[key]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@dataclass(frozen=True)
class ParitySettings:
    """How to check: in which precision, for how long, and how strictly.

    `epochs` is None for as many as the workload says, `most_steps` for whole epochs. So few steps
    are taken apart that they consist of `most_numbers`, None for any, but one at the least.
    `tolerance` is a relative deviation that is let pass beside what rounding explains. Of `threads`
    "default" means an equal share of the cores for each worker.
    """

    dtype: str = "float32"
    epochs: int | None = None
    most_steps: int | None = None
    tolerance: float = 0.0
    seed: int = 0
    threads: str = "default"
    most_numbers: int | None = None


@dataclass(frozen=True)
class Learner:
    """One of those that are compared: a backend, the interpreter that holds it, a workload."""

    backend: str
    python: str
    workload: Workload


#: Why learners dropped out: an error, or in words how their model is another one.
Failures = dict[str, BenchError | str]


@dataclass
class ParityWorkers:
    """The workers of one workload that train together; one that fails drops out.

    The files of arrays that they leave are open for as long as `files` is.
    """

    workers: dict[str, Worker]
    folder: Path
    failures: Failures
    files: ExitStack

    def blueprints(self) -> dict[str, Blueprint]:
        """Wait for what each tells of its model."""
        found = {}
        for name in self._ready():
            try:
                found[name] = self.workers[name].answer(Blueprint)
            except BenchError as error:
                self.failures[name] = error
        return found

    def carry_out(
        self,
        task: str,
        training: Training,
        arrays: Mapping[Place, np.ndarray],
        names: Iterable[str] | None = None,
    ) -> dict[str, Arrays]:
        """Let those of these names, or all, carry out a task; return what each has seen."""
        asked = self.tell(task, training, arrays, names)
        return self.answers(asked)

    def tell(
        self,
        task: str,
        training: Training,
        arrays: Mapping[Place, np.ndarray],
        names: Iterable[str] | None = None,
    ) -> list[str]:
        """Let them begin with a task, and return who was told.

        Of the arrays, they get what the stages of the training's points are given.
        """
        file = self.folder / f"script-{task}-{len(list(self.folder.iterdir()))}.npz"
        given = {
            place.key: array
            for place, array in arrays.items()
            if place.stage in GIVEN and (place.epoch, place.step) in training.points
        }
        np.savez(file, **{**given, **training.script()})  # type: ignore[arg-type]
        script = encode_script(
            Script(
                task,
                str(file),
                len(training.orders),
                training.blueprint.batch_size,
                training.points,
                UNIT_ROUNDOFF[training.dtype],
            )
        )
        asked = [name for name in self._ready() if names is None or name in names]
        for name in asked:
            self.workers[name].tell(script)
        return asked

    def answers(self, asked: Iterable[str]) -> dict[str, Arrays]:
        """Wait for what those who were told have seen."""
        seen: dict[str, Arrays] = {}
        for name in asked:
            try:
                file = self.workers[name].answer(Observation).file
                seen[name] = self.files.enter_context(np.load(file))
            except BenchError as error:
                self.failures[name] = error
        return seen

    def _ready(self) -> list[str]:
        return [name for name in self.workers if name not in self.failures]


@contextmanager
def parity_workers(
    learners: Mapping[str, Learner],
    kind: type[ComparedRequest],
    settings: ParitySettings,
    dtype: str,
    workers: Launcher,
    failures: Failures,
    files: ExitStack,
) -> Iterator[ParityWorkers]:
    """Start a worker for each learner that hasn't failed, to answer requests of a kind."""
    folder = workers.folder
    with ExitStack() as stack:
        group = ParityWorkers({}, folder, failures, files)
        for place, (name, learner) in enumerate(learners.items()):
            if name in failures:
                continue
            request = kind(
                workload=learner.workload,
                backend=learner.backend,
                seed=settings.seed,
                threads=threads_each(settings.threads, len(learners)),
                dtype=dtype,
                data_dtype=settings.dtype,
                folder=str(folder),
                name=f"{learner.backend}-{place}-{dtype}-{len(list(folder.iterdir()))}",
            )
            try:
                group.workers[name] = stack.enter_context(workers.start(learner.python, request))
            except BenchError as error:
                failures[name] = error
        yield group
