"""How long nothing runs at the end of TensorFlow's epochs, and that tf.data's tuning is the reason.

    python tests/benchmarks/tensorflow_waiting.py [--write FILE]

Trains on a `tf.data.Dataset`, pinned to one core, with `options.autotune.enabled` and without, and
compares the wall time of steady epochs with the CPU time of the process. Nothing else should run
meanwhile: another program on the core would be taken for waiting.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from keras_bench.analyze.steady import UNCOUNTED_EPOCHS
from keras_bench.environments.finding import environments_of
from keras_bench.measure.machine import quiet_core
from keras_bench.measure.pinning import pin
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.workloads import find
from keras_bench.records import EnvironmentChoice, Sample, Selection
from keras_bench.worker.protocol import STOP, TimingRequest

PROCESSES, EPOCHS = 3, 12

#: The larger network of the notes, on as many batches.
WORKLOAD = """
import keras
import numpy as np

def build():
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((1,)), layers.Dense(16, "relu"), layers.Dense(32, "relu"),
        layers.Dense(2, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def data(seed):
    import tensorflow as tf
    x = np.random.default_rng(seed).normal(size=(2100, 1)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(10, drop_remainder=True)
    batches = batches.map(lambda x, y: (x * 1.0, y), num_parallel_calls=tf.data.AUTOTUNE)
    options = tf.data.Options()
    options.autotune.enabled = {enabled}
    return batches.prefetch(1).with_options(options)
"""


@dataclass(frozen=True)
class Waiting:
    """What a steady epoch of a process takes, and how much of that it doesn't compute."""

    epoch_seconds: float
    idle_seconds: float


def waiting(file: Path, python: str, workers: Launcher) -> Waiting:
    """Let a fresh process train, on one core from its warm-up on."""
    (workload,) = find(Selection((str(file),)))
    request = TimingRequest(workload=workload, backend="tensorflow", seed=0, threads=1)
    core = quiet_core()
    with workers.start(python, request) as worker:
        worker.begin()
        worker.wait_for_epochs(UNCOUNTED_EPOCHS)
        if core is not None:
            pin(worker.pid, core)
        # The first after it began on all cores.
        first = len(worker.epochs) + 1
        worker.wait_for_epochs(first + EPOCHS)
        worker.tell(STOP)
        sample = worker.answer(Sample)
    steady = slice(first, first + EPOCHS)
    wall, cpu = fmean(sample.epoch_seconds[steady]), fmean(sample.epoch_cpu_seconds[steady])
    return Waiting(wall, wall - cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    choice = EnvironmentChoice()
    interpreters = environments_of(choice, print).interpreters(("tensorflow",), {})
    lines = []
    with tempfile.TemporaryDirectory() as folder, launcher(timeout_seconds=300.0) as workers:
        for enabled in (True, False):
            file = Path(folder, f"autotune_{enabled}.py".lower())
            file.write_text(WORKLOAD.replace("{enabled}", str(enabled)), encoding="utf-8")
            python = interpreters["tensorflow"].python
            found = [waiting(file, python, workers) for _ in range(PROCESSES)]
            epochs = ", ".join(f"{1e3 * each.epoch_seconds:.0f}" for each in found)
            idle = ", ".join(f"{1e3 * each.idle_seconds:.0f}" for each in found)
            lines.append(
                f"- autotune {'on' if enabled else 'off'}: an epoch of {epochs} ms, of which {idle}"
                f" ms idle ({PROCESSES} processes, {EPOCHS} epochs each)"
            )
            print(lines[-1], flush=True)
    if options.write is not None:
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
