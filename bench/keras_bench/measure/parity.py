"""Carries a parity check out: a worker for each learner, all at the same time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_bench.errors import BenchError, LossDiverged, Unsupported, WorkloadError
from keras_bench.measure.memory import available_memory_bytes
from keras_bench.measure.process import Launcher, Worker
from keras_bench.measure.variables import thread_count
from keras_bench.parity.blueprint import Blueprint
from keras_bench.parity.causes import Cause
from keras_bench.parity.network import Network, NotCovered, covered
from keras_bench.parity.places import GIVEN, SPREAD, Place
from keras_bench.parity.precisions import UNIT_ROUNDOFF
from keras_bench.parity.room import needed_bytes, numbers_with_room
from keras_bench.parity.training import (
    Reference,
    Training,
    by_consensus,
    by_textbook,
    plan_training,
    widened,
)
from keras_bench.parity.verdict import (
    BackendVerdict,
    Verdict,
    judge,
    most_agree,
    reference_losses,
    remarks,
    settle,
    shapes_differ,
)
from keras_bench.worker.protocol import Observation, ParityRequest, Script, Workload, encode_script

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
    `tolerance` is a relative deviation that is let pass beside what rounding explains.
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


REMEDY = "lower the learning rate, or look for NaN in the data"

#: Why a backend is unchecked that trains what none of the others can.
ALONE = "no other backend trains it"

#: What a run can afford to check before it measures.
QUICK = ParitySettings(epochs=1, most_steps=30, most_numbers=5_000_000)


def check_parity(
    workload: str,
    learners: Mapping[str, Learner],
    settings: ParitySettings,
    workers: Launcher,
) -> Verdict:
    """Let all train the workload of this name, and compare; they go by the names given here.

    A learner whose worker fails is unchecked; the others go on.
    """
    failures: dict[str, BenchError | str] = {}
    with _group(learners, settings, settings.dtype, workers, failures) as group:
        if not group.blueprints:
            return _nothing_trained(workload, settings, failures, learners)
        common = settle(group.blueprints)
        blueprint = group.blueprints[common]
        arrays = np.load(blueprint.arrays_file)
        available_bytes, size = available_memory_bytes(), blueprint.step_numbers
        needed = needed_bytes(size, len(learners))
        if needed > available_bytes:
            too_large = _too_large(workload, needed, available_bytes)
            failures |= dict.fromkeys(group.blueprints, too_large)
            return _nothing_trained(workload, settings, failures, learners)
        training = plan_training(
            blueprint,
            arrays,
            settings.dtype,
            settings.seed,
            settings.epochs,
            settings.most_steps,
            min(
                settings.most_numbers or math.inf,
                numbers_with_room(available_bytes, size, len(learners)),
            ),
        )
        network: Network | None
        try:
            network = covered(blueprint)
            reference = by_textbook(network, training)
            source = "the NumPy reference"
        except NotCovered as reason:
            network = None
            reference, own = _ask_the_backends(learners, settings, training, workers, failures)
            if not own:
                return _nothing_trained(workload, settings, failures, learners)
            source = (
                f"the median of the float64 runs of {', '.join(own)}"
                f" (the NumPy reference doesn't cover {reason})"
            )
        if not all(math.isfinite(loss) for _, loss, _ in reference_losses(reference, "float64")):
            diverged = LossDiverged(
                workload, "the loss of the reference becomes infinite or no number", REMEDY
            )
            failures |= dict.fromkeys(group.blueprints, diverged)
        for backend, other in group.blueprints.items():
            if difference := shapes_differ(other, blueprint):
                failures[backend] = f"{difference}, unlike that of {common}"
        seen = {
            backend: ArraysAtPlaces(each)
            for backend, each in group.carry_out("observe", training, reference.arrays).items()
        }
        if network is None:
            known = [backend for backend in seen if backend in own]
            reference = widened(
                reference,
                [seen[each] for each in known],
                [own[each] for each in known],
                settings.dtype,
            )
        verdicts = [
            judge(
                backend,
                each,
                group.blueprints[backend],
                training,
                reference,
                network,
                settings.tolerance,
            )
            for backend, each in seen.items()
        ]
    if len(verdicts) == 1 and any(isinstance(each, Unsupported) for each in failures.values()):
        # What it would be compared with is left over from the others, or its own.
        alone = BackendVerdict(verdicts[0].backend, "unchecked", failure=ALONE)
        return _nothing_trained(workload, settings, failures, learners, [alone])
    return Verdict(
        workload,
        settings.dtype,
        len(training.orders),
        source,
        remarks(training),
        _in_order(verdicts, failures, learners),
        reference_losses(reference, settings.dtype),
        network is not None or most_agree(verdicts),
    )


@dataclass
class _Group:
    """The workers of one workload that train together; one that fails drops out."""

    workers: dict[str, Worker]
    blueprints: dict[str, Blueprint]
    folder: Path
    dtype: str
    failures: dict[str, BenchError | str]

    def carry_out(
        self, task: str, training: Training, arrays: Mapping[Place, np.ndarray]
    ) -> dict[str, Arrays]:
        """Let every worker carry out a task, and return what each has seen.

        Of the arrays, it gets what stages are given.
        """
        file = self.folder / f"script-{task}.npz"
        given = {place.key: array for place, array in arrays.items() if place.stage in GIVEN}
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
        ready = [backend for backend in self.blueprints if backend not in self.failures]
        for backend in ready:
            self.workers[backend].tell(script)
        seen: dict[str, Arrays] = {}
        for backend in ready:
            try:
                seen[backend] = np.load(self.workers[backend].answer(Observation).file)
            except BenchError as error:
                self.failures[backend] = error
        return seen


@contextmanager
def _group(
    learners: Mapping[str, Learner],
    settings: ParitySettings,
    dtype: str,
    workers: Launcher,
    failures: dict[str, BenchError | str],
) -> Iterator[_Group]:
    """Start a worker for each backend, and wait for the blueprints."""
    folder = workers.folder
    with ExitStack() as stack:
        group = _Group({}, {}, folder, dtype, failures)
        for place, (name, learner) in enumerate(learners.items()):
            if name in failures:
                continue
            request = ParityRequest(
                workload=learner.workload,
                backend=learner.backend,
                seed=settings.seed,
                threads=thread_count(settings.threads),
                dtype=dtype,
                data_dtype=settings.dtype,
                folder=str(folder),
                name=f"{learner.backend}-{place}-{dtype}-{len(list(folder.iterdir()))}",
            )
            try:
                group.workers[name] = stack.enter_context(workers.start(learner.python, request))
            except BenchError as error:
                failures[name] = error
        for backend, worker in group.workers.items():
            try:
                group.blueprints[backend] = worker.answer(Blueprint)
            except BenchError as error:
                failures[backend] = error
        yield group


def _ask_the_backends(
    learners: Mapping[str, Learner],
    settings: ParitySettings,
    training: Training,
    workers: Launcher,
    failures: dict[str, BenchError | str],
) -> tuple[Reference, dict[str, ArraysAtPlaces]]:
    """Let the backends show in float64 what the training gives; return each one's own too.

    One that can't train in float64 has no say in the reference, but is compared with it. Where
    none can, that is the failure of all.
    """
    unable = dict(failures)
    with _group(learners, settings, "float64", workers, unable) as group:
        recorded = group.carry_out("record", training, {})
        trained = by_consensus(list(recorded.values()))
        repeated = group.carry_out("repeat", training, trained.arrays)
        apart = by_consensus(list(repeated.values()))
    if not repeated:
        failures |= unable
    reference = Reference(trained.arrays | apart.arrays, trained.spread | apart.spread)
    own = {
        backend: ArraysAtPlaces(recorded[backend], stages) for backend, stages in repeated.items()
    }
    return reference, own


def _too_large(workload: str, needed: int, available_bytes: int) -> WorkloadError:
    return WorkloadError(
        workload,
        f"taking one of its steps apart needs some {needed / 1e9:.0f} GB of memory, and"
        f" {available_bytes / 1e9:.0f} GB are free",
        "check a smaller one, or fewer backends at a time",
    )


def _nothing_trained(
    workload: str,
    settings: ParitySettings,
    failures: Mapping[str, BenchError | str],
    learners: Mapping[str, Learner],
    verdicts: Sequence[BackendVerdict] = (),
) -> Verdict:
    backends = _in_order(verdicts, failures, learners)
    return Verdict(workload, settings.dtype, 0, "", (), backends, ())


def _in_order(
    verdicts: Sequence[BackendVerdict],
    failures: Mapping[str, BenchError | str],
    learners: Mapping[str, Learner],
) -> tuple[BackendVerdict, ...]:
    """Return a verdict for each backend, in the order in which they were asked for."""
    known = {verdict.backend: verdict for verdict in verdicts}
    for backend, failure in failures.items():
        if isinstance(failure, BenchError):
            known[backend] = BackendVerdict(
                backend,
                "unchecked",
                failure=str(failure),
                # Where others train it, it is no fault that this one doesn't.
                exit_code=0 if verdicts and isinstance(failure, Unsupported) else failure.exit_code,
                traceback="\n".join(getattr(failure, "__notes__", [])),
            )
        else:
            known[backend] = BackendVerdict(backend, "differs", (Cause(failure, ()),))
    return tuple(known[backend] for backend in learners if backend in known)
