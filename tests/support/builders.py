"""Records with plain defaults, of which a test names only what it is about."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_bench.analyze.comparison import Figures, Row, Table
from keras_bench.analyze.sequential import LOOKS
from keras_bench.analyze.stats import Estimate
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS
from keras_bench.errors import BenchError, WorkerDied
from keras_bench.parity.blueprint import Blueprint, DataArray, Layer, Part, Weight
from keras_bench.parity.causes import Cause
from keras_bench.parity.deviations import Deviation
from keras_bench.parity.loops import LoopVerdict
from keras_bench.parity.places import EPOCH_LOSS, LOSS, RUNNING_LOSS, THE_LOSS, Place
from keras_bench.parity.verdict import BackendVerdict, Verdict, Worst
from keras_bench.records import (
    Arm,
    ArmResult,
    Calibration,
    CalibrationRound,
    Environment,
    Failure,
    Gate,
    GateSettings,
    Machine,
    Parity,
    Run,
    Sample,
    Settings,
)
from keras_bench.worker.protocol import Workload


def workload_in(file: Path) -> Workload:
    """Return the workload whose build() is in a file."""
    return Workload(file.stem, str(file), str(file.parent))


ENVIRONMENT = Environment(
    "3.11.7",
    (
        ("jax", "0.10.2"),
        ("keras", "3.15.1"),
        ("numpy", "2.4.6"),
        ("tensorflow-cpu", "2.21.0"),
        ("torch", "2.13.0"),
    ),
)
MACHINE = Machine("Some CPU", "x86_64", 8, 4, 32, "Linux", "6.1", "0123abcd")

#: What a process of `sample` spends before its first epoch, and its first epoch more than others.
STARTUP_SECONDS = 4.0
FIRST_EPOCH_EXTRA_SECONDS = 1.0

#: How many calls a measurement of `predicted` is the mean of.
CALLS_PER_BLOCK = 20

EPOCH_SECONDS = Estimate(0.0571, 0.0555, 0.0587)

#: How many rounds the first look of a gate needs, and the last.
FIRST_LOOK, LAST_LOOK = LOOKS[0], LOOKS[-1]

AGREES = Parity("agrees", "it agrees to rounding")
EXPLAINED = Parity("explained", "it differs for known reasons")
UNCHECKABLE = Parity("unchecked", "no reference covers it")
DIFFERS = Parity("differs", "it parts from the reference")

#: A user's own workload file, trained in a moment.
SMALL_WORKLOAD = """
import os, sys, time
import keras, numpy as np

FIT = {"batch_size": 8, "epochs": 3, "shuffle": True}

def build():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data(seed):
    x = np.random.default_rng(seed).normal(size=(20, 2)).astype("float32")
    return x, x[:, :1]
"""


def arm(backend: str = "jax", workload: str = "net", **changes: Any) -> Arm:
    return Arm(**{"workload": workload, "backend": backend, "environment": ENVIRONMENT} | changes)


def sample(steady_seconds: float = 0.1, epochs: int = 10, **changes: Any) -> Sample:
    first = steady_seconds + FIRST_EPOCH_EXTRA_SECONDS
    epoch_seconds = changes.get("epoch_seconds", (first, *[steady_seconds] * (epochs - 1)))
    defaults = {
        "import_seconds": 2.0,
        "build_seconds": 0.5,
        "epoch_seconds": epoch_seconds,
        "epoch_cpu_seconds": tuple(2 * seconds for seconds in epoch_seconds),
        "losses": tuple(1 / (epoch + 1) for epoch in range(len(epoch_seconds))),
        "examples": 2100,
        "peak_rss_bytes": 400_000_000,
        "jit_compile": True,
        "intra_op_threads": 0,
        "inter_op_threads": None,
        "os_threads": 12,
        "cpus": (0, 1),
        "process_seconds": STARTUP_SECONDS + sum(epoch_seconds),
    }
    return Sample(**defaults | changes)


def in_slices(steady_seconds: float = 0.1, epochs: int = 10, **changes: Any) -> Sample:
    """Return a sample of a process in slices, all of whose epochs count after the warm-up."""
    known = sample(steady_seconds, epochs, **{"slice_seconds": 0.04} | changes)
    if known.counted is not None:
        return known
    places = range(len(known.epoch_seconds))
    return replace(known, counted=tuple(float(place >= UNCOUNTED_EPOCHS) for place in places))


def predicted(backend: str, *calls: float, **changes: Any) -> ArmResult:
    """Return an arm that predicts, with a sample per process, each given by its steady call."""
    samples = tuple(
        sample(each, losses=(), examples=32, calls_per_block=CALLS_PER_BLOCK, round=number)
        for number, each in enumerate(calls, start=1)
    )
    known = arm(backend, "net(batch_size=32)", task="predict", loop="predict")
    return ArmResult(known, samples, **changes)


def result(backend: str, *processes: float | Sample, **changes: Any) -> ArmResult:
    """Return an arm with a sample per round, from the first one on.

    Each is given whole, and keeps its own round, or by its steady epoch.
    """
    samples = _of_rounds(processes)
    of_arm = {name: changes.pop(name) for name in ("workload", "loop") if name in changes}
    return ArmResult(arm(backend, **of_arm), samples, **changes)


def _of_rounds(processes: Sequence[float | Sample]) -> tuple[Sample, ...]:
    return tuple(
        process if isinstance(process, Sample) else sample(process, round=number)
        for number, process in enumerate(processes, start=1)
    )


def failure(error: BenchError | None = None) -> Failure:
    error = error or WorkerDied("net on torch", "the worker was killed", "it last printed: nothing")
    return Failure(1, str(error), error.exit_code)


#: Why an arm was never measured that is no fault of anyone's.
UNABLE = Failure(1, "not on torch: it needs jax; look", 3, unsupported=True)


def run(*results: ArmResult, **changes: Any) -> Run:
    defaults = {
        "started_utc": "2026-01-02T03:04:05Z",
        "machine": MACHINE,
        "settings": Settings(),
        "results": results,
        "rounds": max((len(result.samples) for result in results), default=0),
        "elapsed_seconds": 60.0,
        "complete": True,
        "stopped": "precise",
    }
    return Run(**defaults | changes)


def side(label: str, *processes: float | Sample, **changes: Any) -> ArmResult:
    """Return one side of a pair, with samples as `result` has them."""
    samples = _of_rounds(processes)
    known = arm(
        changes.pop("backend", "jax"),
        changes.pop("workload", "net"),
        environment=changes.pop("environment", replace(ENVIRONMENT, label=label)),
    )
    return ArmResult(known, samples, **{"parity": AGREES} | changes)


def gate(*results: ArmResult, **changes: Any) -> Gate:
    rounds = [sample.round for result in results for sample in result.samples]
    defaults = {
        "started_utc": "2026-01-02T03:04:05Z",
        "machine": MACHINE,
        "settings": GateSettings(),
        "results": results,
        "rounds": max(rounds, default=0),
        "elapsed_seconds": 60.0,
        "complete": True,
        "stopped": "decided",
    }
    return Gate(**defaults | changes)


def two_sides(log_ratios: Sequence[float], **changes: Any) -> tuple[ArmResult, ArmResult]:
    """Return a baseline and a candidate whose rounds have these log(candidate ÷ baseline)."""
    times = [0.1 * math.exp(each) for each in log_ratios]
    return side("baseline", *[0.1] * len(times), **changes), side("candidate", *times, **changes)


def calibration_round(log_ratio: float, slowdown: float = 0.0, **changes: Any) -> CalibrationRound:
    defaults = {
        "slowdown": slowdown,
        "log_ratio": log_ratio,
        "cpu_log_ratio": log_ratio,
        "seconds": 10.0,
        "other_busy_cores": 0.1,
    }
    return CalibrationRound(**defaults | changes)


def calibration(*rounds: CalibrationRound, **changes: Any) -> Calibration:
    defaults = {
        "started_utc": "2026-01-02T03:04:05Z",
        "machine": MACHINE,
        "environment": ENVIRONMENT,
        "workload": "net",
        "backend": "jax",
        "threads": "single",
        "cpu": 1,
        "training_seconds": 1.5,
        "seed": 0,
        "parity_seconds": 5.0,
        "metric": "wall",
        "rounds": rounds,
        "method": "slices",
    }
    return Calibration(**defaults | changes)


def around(centre: float, rounds: int, spread: float = 0.001) -> list[float]:
    """Return values in turn above and below a centre, which the last of an odd number is."""
    values = [centre + spread * (-1) ** number for number in range(rounds)]
    return [*values[:-1], centre] if rounds % 2 else values


def row(
    backend: str,
    ratio: Estimate | None = None,
    epoch_seconds: Estimate = EPOCH_SECONDS,
    failed: str | None = None,
    parity: Parity = AGREES,
    **changes: Any,
) -> Row:
    defaults = {
        "epoch_seconds": epoch_seconds,
        "is_fastest": ratio is None,
        "ratio": ratio,
        "examples_per_second": 36777.6,
        "epoch_cpu_seconds": 0.0833,
        "import_seconds": 2.345,
        "build_seconds": 0.456,
        "first_epoch_seconds": 1.234,
        "peak_rss_bytes": 385_400_000,
        "loss": 0.65432,
        "metrics": {"accuracy": 0.7},
        "loss_epoch": 20,
        "processes": 8,
        "epochs": 112,
        "process_epoch_seconds": (0.0571,) * 8,
        "jit_compile": True,
        "intra_op_threads": 0,
        "inter_op_threads": None,
        "os_threads": 12,
        "cpus": (0, 1),
        "random_data": "",
    }
    return Row(arm(backend), Figures(**defaults | changes), failed, parity)


def failed_row(
    backend: str, message: str = "net on torch: died; look", parity: Parity = AGREES
) -> Row:
    return Row(arm(backend), None, message, parity)


def unmeasured_row(backend: str, parity: Parity = AGREES) -> Row:
    return Row(arm(backend), None, None, parity)


def table(*rows: Row) -> Table:
    return Table("net", rows)


def deviation(
    stage: str = LOSS,
    subject: str = THE_LOSS,
    epoch: int = 1,
    step: int = 1,
    size: float = 1e-8,
    bound: float = 1e-6,
) -> Deviation:
    return Deviation(Place(epoch, step, stage, subject), size, bound)


def cause(what: str, *places: Deviation, reason: str = "") -> Cause:
    return Cause(what, places, reason)


def learner(backend: str, *worst: Deviation, **changes: Any) -> BackendVerdict:
    """Return a verdict on a backend, with the largest deviation of each stage."""
    known = tuple(Worst(each.place.stage, each) for each in worst)
    return BackendVerdict(**{"backend": backend, "outcome": "agrees", "worst": known} | changes)


def failed_learner(backend: str, message: str = "net on torch: died; look") -> BackendVerdict:
    return BackendVerdict(backend, "unchecked", failure=message, exit_code=5)


def loop_verdict(
    backend: str = "jax", loop: str = "fused", *deviations: Deviation, **changes: Any
) -> LoopVerdict:
    """Return a verdict on a loop that agrees, unless something else is said."""
    defaults = {"outcome": "agrees", "deviations": deviations}
    return LoopVerdict(**{"learner": backend, "loop": loop} | defaults | changes)


#: A loop that can't train the workload.
REFUSED = "not by fused on jax: it has an optimizer of its own; train it by fit"


def running_losses(*losses: float) -> tuple[tuple[Place, float], ...]:
    """Return the loss after each step of the first epoch, and that of the epoch."""
    steps = [(Place(1, step, RUNNING_LOSS), loss) for step, loss in enumerate(losses, start=1)]
    return (*steps, (Place(1, 0, EPOCH_LOSS), losses[-1]))


def verdict(*backends: BackendVerdict, **changes: Any) -> Verdict:
    defaults = {
        "workload": "net",
        "dtype": "float32",
        "epochs": 1,
        "source": "the NumPy reference",
        "remarks": (),
        "backends": backends,
        "losses": tuple((place, loss, 1e-6) for place, loss in running_losses(0.5, 0.25)),
    }
    return Verdict(**defaults | changes)


def blueprint(**changes: Any) -> Blueprint:
    """Return a model of one weight, and four examples that it is fitted to in one step."""
    kernel = Weight("dense/kernel", (1, 1), True, Part("keras.Ones", {}))
    config = {"units": 1, "activation": "linear", "use_bias": False}
    defaults = {
        "model": "keras.Sequential",
        "dtype": "float32",
        "layers": (Layer("dense", Part("keras.Dense", config), (kernel.path,)),),
        "weights": (kernel,),
        "optimizer": Part("keras.SGD", {"learning_rate": 0.1, "momentum": 0.0, "nesterov": False}),
        "optimizer_variables": ("SGD/iteration", "SGD/learning_rate"),
        "losses": (Part("keras.MeanSquaredError", {}),),
        "batch_size": 4,
        "epochs": 1,
        "shuffle": False,
        "data": (DataArray("x", (4, 1), "of x"), DataArray("y", (4, 1), "of y")),
        "arrays_file": "arrays.npz",
        "step_numbers": 1000,
        "random_layers": (),
        "left_out": (),
    }
    return Blueprint(**defaults | changes)
