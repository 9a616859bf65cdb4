"""Carries a parity check out: a worker for each learner, all at the same time."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import numpy as np

from keras_bench.errors import BenchError, LossDiverged, Uncheckable, Unsupported
from keras_bench.measure.closer_look import look_closer
from keras_bench.measure.memory import available_memory_bytes
from keras_bench.measure.parity_workers import (
    ArraysAtPlaces,
    Failures,
    Learner,
    ParitySettings,
    parity_workers,
)
from keras_bench.measure.process import Launcher
from keras_bench.parity.causes import Cause
from keras_bench.parity.deviations import deviations
from keras_bench.parity.network import Network, NotCovered, covered
from keras_bench.parity.own_rounding import OwnRounding, closer_reference, without_leaps
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
from keras_bench.worker.protocol import FreeTrainingRequest, ParityRequest

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
    tell: Callable[[str], object] = lambda stage: None,
) -> Verdict:
    """Let all train the workload of this name, and compare; they go by the names given here.

    A learner whose worker fails is unchecked; the others go on. `tell` hears of each stage.
    """
    failures: Failures = {}
    dtype = settings.dtype
    with (
        ExitStack() as files,
        parity_workers(learners, ParityRequest, settings, dtype, workers, failures, files) as group,
    ):
        tell("building its models")
        blueprints = group.blueprints()
        if not blueprints:
            return _nothing_trained(workload, settings, failures, learners)
        common = settle(blueprints)
        blueprint = blueprints[common]
        arrays = files.enter_context(np.load(blueprint.arrays_file))
        available_bytes, size = available_memory_bytes(), blueprint.step_numbers
        needed = needed_bytes(size, len(learners))
        if needed > available_bytes:
            too_large = _too_large(workload, needed, available_bytes)
            failures |= dict.fromkeys(blueprints, too_large)
            return _nothing_trained(workload, settings, failures, learners)
        training = plan_training(
            blueprint,
            arrays,
            dtype,
            settings.seed,
            settings.epochs,
            settings.most_steps,
            min(
                settings.most_numbers or math.inf,
                numbers_with_room(available_bytes, size, len(learners)),
            ),
        )
        network: Network | None
        own: dict[str, ArraysAtPlaces] = {}
        try:
            network = covered(blueprint)
            reference = by_textbook(network, training)
            source = "the NumPy reference"
        except NotCovered as reason:
            network = None
            tell("training in float64, to know what is right")
            reference, own = ask_the_backends(
                learners, settings, training, workers, failures, files
            )
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
            # What a backend itself has said comes first.
            for backend in blueprints:
                failures.setdefault(backend, diverged)
            return _nothing_trained(workload, settings, failures, learners)
        for backend, other in blueprints.items():
            if difference := shapes_differ(other, blueprint):
                failures[backend] = f"{difference}, unlike that of {common}"
        with parity_workers(
            learners, FreeTrainingRequest, settings, dtype, workers, failures, files
        ) as free:
            tell("taking its steps apart, and training by fit")
            free.tell("fit", training, {})
            stages = group.carry_out("observe", training, reference.arrays)
            trained = free.answers(stages)
            seen = {
                backend: ArraysAtPlaces(stages[backend], trained[backend]) for backend in trained
            }
            if network is None:
                known = [backend for backend in seen if backend in own]
                reference = widened(
                    reference,
                    [seen[each] for each in known],
                    [own[each] for each in known],
                    dtype,
                )
            references = {
                backend: without_leaps(reference, each, own.get(backend, {}), dtype)
                for backend, each in seen.items()
            }
            distances = {
                backend: deviations(each, references[backend], dtype, settings.tolerance)
                for backend, each in seen.items()
            }
            off = {
                backend: places
                for backend, each in distances.items()
                if (places := [deviation.place for deviation in each if deviation.is_off])
            }
            closer = {
                backend: closer_reference(
                    references[backend],
                    own.get(backend, {}),
                    places,
                    blueprint.batch_size,
                    dtype,
                    is_textbook=network is not None,
                )
                for backend, places in off.items()
            }
            if closer:
                tell(f"looking closer at what {' and '.join(closer)} rounds")
            rounding = look_closer(
                {name: each for name, each in closer.items() if each is not None},
                off, training, seen, own, settings.tolerance, group, free,
            )  # fmt: skip
        verdicts = [
            judge(
                backend,
                each,
                distances[backend],
                rounding.get(backend, OwnRounding()),
                blueprints[backend],
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
        remarks(training, reference),
        _in_order(verdicts, failures, learners),
        reference_losses(reference, settings.dtype),
        network is not None or most_agree(verdicts),
    )


def ask_the_backends(
    learners: Mapping[str, Learner],
    settings: ParitySettings,
    training: Training,
    workers: Launcher,
    failures: Failures,
    files: ExitStack,
) -> tuple[Reference, dict[str, ArraysAtPlaces]]:
    """Let the backends show in float64 what the training gives; return each one's own too.

    One that can't train in float64 has no say in the reference, but is compared with it. Where
    none can, that is the failure of all.
    """
    unable = dict(failures)
    with parity_workers(
        learners, ParityRequest, settings, "float64", workers, unable, files
    ) as group:
        group.blueprints()  # Nothing new is in them; who can't give one drops out.
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


def _too_large(workload: str, needed: int, available_bytes: int) -> Uncheckable:
    return Uncheckable(
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
