"""What the harness adds to an epoch, and what the coordinator costs while an arm is timed.

Alternates suite-timed processes with processes of a bare script that calls `model.fit` and
nothing of the suite, and prints the ratio of their epochs with its interval. Run it with
`nox -s overhead`; it takes some minutes, and nothing else should run meanwhile.
"""

import argparse
import subprocess
import time
from pathlib import Path

from keras_bench.analyze.numbers import span, times
from keras_bench.analyze.stats import ratio
from keras_bench.analyze.steady import steady
from keras_bench.environments.finding import environments_of
from keras_bench.measure.process import Launcher, launcher
from keras_bench.measure.variables import worker_variables
from keras_bench.measure.workloads import shipped
from keras_bench.records import EnvironmentChoice
from keras_bench.worker.protocol import TimingRequest

WORKLOAD = "dense_3_5_2"
#: Epochs that take each backend about three seconds.
EPOCHS = {"jax": 400, "tensorflow": 50, "torch": 50}

BARE = """
import sys, time
sys.path.insert(0, {folder!r})
import keras, {workload} as workload
keras.utils.set_random_seed(0)
model = workload.build()
x, y = workload.data(0)
settings = {{**workload.FIT, "verbose": 0}}
model.fit(x, y, **{{**settings, "epochs": 2}})
start = time.perf_counter()
model.fit(x, y, **{{**settings, "epochs": {epochs}}})
print((time.perf_counter() - start) / {epochs})
"""


def bare_epoch_seconds(python: str, backend: str, workers: Launcher) -> float:
    """Time `fit` from outside, in a script that knows nothing of the suite."""
    folder = shipped()[WORKLOAD].folder
    script = BARE.format(folder=folder, workload=WORKLOAD, epochs=EPOCHS[backend])
    variables = worker_variables(backend, None, workers.folder / "keras", {})
    answer = subprocess.run(
        [python, "-c", script],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])


def suite_epoch_seconds(python: str, backend: str, workers: Launcher) -> float:
    """Let a worker time the same training, and take the plain mean as the script does."""
    request = TimingRequest(
        workload=shipped()[WORKLOAD],
        backend=backend,
        seed=0,
        epochs=EPOCHS[backend] + 2,
    )
    epochs = steady(workers.run(python, request))
    return sum(epochs) / len(epochs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--write", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    environments = environments_of(EnvironmentChoice(), print)
    lines = [
        f"{WORKLOAD}, suite-timed epoch ÷ epoch of a bare script, {options.pairs} processes each:"
    ]
    with launcher(timeout_seconds=300.0) as workers:
        for backend, interpreter in environments.interpreters((), {}).items():
            python = interpreter.python
            suite, bare, cpu, wall = [], [], 0.0, 0.0
            for _ in range(options.pairs):
                start, start_cpu = time.monotonic(), time.process_time()
                suite.append(suite_epoch_seconds(python, backend, workers))
                wall += time.monotonic() - start
                cpu += time.process_time() - start_cpu
                bare.append(bare_epoch_seconds(python, backend, workers))
            estimate = ratio(suite, bare)
            lines.append(
                f"- {backend}: {times(estimate)} ({span(estimate)});"
                f" the coordinator used {cpu / wall:.2%} of a core"
            )
            print(lines[-1], flush=True)
    if options.write:
        options.write.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
