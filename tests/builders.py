"""Records with plain defaults, of which a test names only what it is about."""

from typing import Any

from bench.analyze.comparison import Figures, Row, Table
from bench.analyze.stats import Estimate
from bench.errors import BenchError, WorkerDied
from bench.records import Arm, ArmResult, Environment, Failure, Machine, Run, Sample, Settings

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

EPOCH_SECONDS = Estimate(0.0571, 0.0555, 0.0587)

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
        "accuracies": (),
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


def result(backend: str, *processes: float | Sample, **changes: Any) -> ArmResult:
    """Return an arm with a sample per process, each given whole or by its steady epoch."""
    samples = tuple(
        process if isinstance(process, Sample) else sample(process) for process in processes
    )
    return ArmResult(arm(backend, changes.pop("workload", "net")), samples, **changes)


def failure(error: BenchError | None = None) -> Failure:
    error = error or WorkerDied("net on torch", "the worker was killed", "it last printed: nothing")
    return Failure(1, str(error), error.exit_code)


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


def row(
    backend: str,
    ratio: Estimate | None = None,
    epoch_seconds: Estimate = EPOCH_SECONDS,
    failed: str | None = None,
    **changes: Any,
) -> Row:
    defaults = {
        "epoch_seconds": epoch_seconds,
        "ratio": ratio,
        "examples_per_second": 36777.6,
        "epoch_cpu_seconds": 0.0833,
        "import_seconds": 2.345,
        "build_seconds": 0.456,
        "first_epoch_seconds": 1.234,
        "peak_rss_bytes": 385_400_000,
        "loss": 0.65432,
        "accuracy": 0.7,
        "loss_epoch": 20,
        "processes": 8,
        "epochs": 112,
        "process_epoch_seconds": (0.0571,) * 8,
        "jit_compile": True,
        "intra_op_threads": 0,
        "inter_op_threads": None,
        "os_threads": 12,
        "cpus": (0, 1),
    }
    return Row(arm(backend), Figures(**defaults | changes), failed)


def failed_row(backend: str, message: str = "net on torch: died; look") -> Row:
    return Row(arm(backend), None, message)


def table(*rows: Row) -> Table:
    return Table("net", rows)
