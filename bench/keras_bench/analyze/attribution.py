"""Where an epoch of `fit` goes: what a profiler saw, and the differences between loops.

Two kinds of evidence come together. Epochs by other loops are timed beside `fit`: what is left of
one by `bare` or `fused` is arithmetic, and the rest is what drives it. Which layer of the stack
that rest is spent in is told by the samples of a profiler. The parts add up to the epoch of `fit`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy

from keras_bench.analyze.stats import CONFIDENCE_LEVEL, Estimate, centre, freedom
from keras_bench.records import Frame, Profile, Stack

#: A layer of the stack that runs while `fit` trains.
Layer = Literal[
    "data pipeline", "callbacks and logs", "Keras's step", "the framework", "validation",
    "the model's own Python", "other",
]  # fmt: skip

LAYERS: tuple[Layer, ...] = get_args(Layer)

#: What a stack does that goes through such a file or function, wherever its innermost frame is.
DATA_FILES = (
    "keras/src/trainers/data_adapters/", "keras/src/trainers/epoch_iterator.py",
    "tensorflow/python/data/", "torch/utils/data/", "grain/",
)  # fmt: skip
CALLBACK_FILES = (
    "keras/src/callbacks/",
    "keras_bench/worker/timing.py",
    "keras_bench/worker/stamps.py",
)
FRAMEWORK_FILES = ("jax/", "jaxlib/", "tensorflow/", "torch/")
#: Keras's side of a backend: its functions hand each operation on, and a sample of Python can't
#: tell them from the C that they call. But for its trainers, which drive the steps.
BACKEND_FILES = tuple(f"keras/src/backend/{each}/" for each in ("jax", "tensorflow", "torch"))

#: Functions of Keras's trainers that do no more than to call the compiled step.
COMPILED_CALLS = ("iterator_step", "one_step_on_data", "multi_step_on_iterator")

#: How many draws intervals come from, and their seed.
DRAWS, SEED = 20_000, 0


@dataclass(frozen=True)
class Share:
    """A share of a profile's samples, with its 95 % interval, and of what."""

    name: str
    layer: Layer
    share: Estimate
    file: str = ""


@dataclass(frozen=True)
class Part:
    """A part of an epoch, in seconds, and how that is known.

    It is below 0 where what is taken off is more than there is: noise, or work that goes on beside
    the thread that trains.
    """

    name: str
    epoch_seconds: Estimate
    evidence: str


def layer_of(frames: Sequence[Frame]) -> Layer:
    """Return the layer that a stack within `fit` is in.

    The outermost frame that has a task of its own decides: what a callback calls is the callback's.
    Where there is none, it is the innermost one that is told at all.
    """
    within = frames[_place_of_fit(frames) :]
    for frame in within:
        if found := _task_of(frame):
            return found
    for frame in reversed(within):
        if found := _owner_of(frame):
            return found
    return "other"


def layers(profile: Profile) -> tuple[Share, ...]:
    """Return the share of each layer that was seen, the largest first."""
    seen = _samples_by_layer(profile.stacks)
    total = sum(seen.values())
    return tuple(
        Share(layer, layer, share(count, total))
        for layer, count in sorted(seen.items(), key=lambda item: -item[1])
    )


def functions(profile: Profile, most: int) -> tuple[Share, ...]:
    """Return the functions that samples end in most often, up to so many.

    What C a function calls counts as its own.
    """
    seen: Counter[tuple[Frame, Layer]] = Counter()
    for stack in profile.stacks:
        seen[stack.frames[-1], layer_of(stack.frames)] += stack.samples
    total = seen.total()
    return tuple(
        Share(frame.function, layer, share(count, total), frame.file)
        for (frame, layer), count in seen.most_common(most)
    )


def share(count: int, total: int) -> Estimate:
    """Return a share of samples with Wilson's interval, as if each were taken by itself."""
    interval = scipy.stats.binomtest(count, total).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return Estimate(count / total, float(interval.low), float(interval.high))


def parts(epochs: Mapping[str, Sequence[float]], profile: Profile | None) -> tuple[Part, ...]:
    """Return the parts of an epoch of `fit`, which add up to it.

    Intervals hold the noise between processes, by Student's t, and the profiler's sampling error.
    There is none where a loop ran in fewer than three processes.

    Args:
        epochs: the steady epoch in seconds of each process, by its loop. `fit` must be there, and
            `fused` and `bare` may.
        profile: what was seen of `fit`, None where nothing was.
    """
    randomness = np.random.default_rng(SEED)
    known = {
        name: _Known.of_times(epochs[name], randomness)
        for name in ("fit", "fused", "bare")
        if epochs.get(name)
    }
    found = list(_programs(known))
    fit = known["fit"]
    program = known.get("fused") or known.get("bare")
    if profile is None or not profile.stacks:
        rest = fit if program is None else fit - program
        name = "all of it" if program is None else "what drives it: framework, Keras, data, logs"
        found.append(_part(name, rest, "the rest of the epoch by fit"))
        return tuple(found)
    seen = _Known.of_shares(_samples_by_layer(profile.stacks), randomness)
    # An epoch by another loop validates, too.
    by_program: tuple[Layer, ...] = ("the framework", "validation")
    driving = fit * _added([seen[each] for each in by_program if each in seen])
    if program is None:
        found.append(_part("the framework, with the arithmetic", driving, "samples of fit"))
    else:
        evidence = "samples of fit, less the above"
        found.append(_part("the framework's dispatch", driving - program, evidence))
    for layer in LAYERS:
        if layer in seen and layer not in by_program:
            found.append(_part(layer, fit * seen[layer], "samples of fit"))
    return tuple(found)


@dataclass(frozen=True)
class _Known:
    """A number and draws of where it may be, None where nobody knows."""

    value: float
    draws: np.ndarray | None

    @classmethod
    def of_times(cls, seconds: Sequence[float], randomness: np.random.Generator) -> "_Known":
        estimate = centre(seconds)
        degrees = freedom(len(seconds))
        # Of two processes, the ends of a difference would be anywhere.
        if estimate.high is None or degrees < 2:
            return cls(estimate.value, None)
        scale = np.log(estimate.high / estimate.value)
        scale /= scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, degrees)
        drawn = randomness.standard_t(degrees, DRAWS)
        return cls(estimate.value, estimate.value * np.exp(scale * drawn))

    @classmethod
    def of_shares(
        cls, seen: Mapping[Layer, int], randomness: np.random.Generator
    ) -> "dict[Layer, _Known]":
        drawn = randomness.dirichlet([count + 0.5 for count in seen.values()], DRAWS).T
        total = sum(seen.values())
        return {
            layer: cls(count / total, draws)
            for (layer, count), draws in zip(seen.items(), drawn, strict=True)
        }

    def __add__(self, other: "_Known") -> "_Known":
        draws = None if _unknown(self, other) else self.draws + other.draws  # type: ignore[operator]
        return _Known(self.value + other.value, draws)

    def __sub__(self, other: "_Known") -> "_Known":
        draws = None if _unknown(self, other) else self.draws - other.draws  # type: ignore[operator]
        return _Known(self.value - other.value, draws)

    def __mul__(self, other: "_Known") -> "_Known":
        draws = None if _unknown(self, other) else self.draws * other.draws  # type: ignore[operator]
        return _Known(self.value * other.value, draws)


def _unknown(*several: _Known) -> bool:
    return any(each.draws is None for each in several)


def _added(several: Iterable[_Known]) -> _Known:
    return sum(several, start=_Known(0.0, np.zeros(DRAWS)))


def _programs(known: Mapping[str, _Known]) -> list[Part]:
    """Return what is left of an epoch where the framework's compiler has the whole of it."""
    bare, fused = known.get("bare"), known.get("fused")
    if bare is not None:
        found = [_part("arithmetic", bare, "an epoch by bare")]
        if fused is not None:
            name = "Keras's own operations"
            found.append(_part(name, fused - bare, "an epoch by fused, less one by bare"))
        return found
    if fused is not None:
        return [_part("arithmetic and Keras's own operations", fused, "an epoch by fused")]
    return []


def _part(name: str, known: _Known, evidence: str) -> Part:
    if known.draws is None:
        return Part(name, Estimate(known.value), evidence)
    tail = 50 * (1 - CONFIDENCE_LEVEL)
    low, high = np.percentile(known.draws, [tail, 100 - tail])
    return Part(name, Estimate(known.value, float(low), float(high)), evidence)


def _samples_by_layer(stacks: Iterable[Stack]) -> dict[Layer, int]:
    seen: Counter[Layer] = Counter()
    for stack in stacks:
        seen[layer_of(stack.frames)] += stack.samples
    return dict(seen)


def _place_of_fit(frames: Sequence[Frame]) -> int:
    places = (place for place, each in enumerate(frames) if each.function.endswith("Trainer.fit"))
    return next(places, 0)


def _task_of(frame: Frame) -> Layer | None:
    name = frame.function.rpartition(".")[2]
    if name == "pythonify_logs" or frame.file.startswith(CALLBACK_FILES):
        return "callbacks and logs"
    if frame.function.endswith("Trainer.evaluate"):
        return "validation"
    if frame.file.startswith(DATA_FILES) or "EpochIterator" in frame.function:
        return "data pipeline"
    return None


def _owner_of(frame: Frame) -> Layer | None:
    name = frame.function.rpartition(".")[2]
    if frame.function == "TensorFlowTrainer.fit":
        # It is only a loop over the dataset: what it does itself is to end the last iterator.
        return "data pipeline"
    if frame.file.startswith(FRAMEWORK_FILES) or name in COMPILED_CALLS:
        return "the framework"
    if frame.file.startswith(BACKEND_FILES) and not frame.file.endswith("/trainer.py"):
        return "the framework"
    if frame.file.startswith("keras/"):
        return "Keras's step"
    is_workload = frame.file.endswith(".py") and "/" not in frame.file
    return "the model's own Python" if is_workload else None
