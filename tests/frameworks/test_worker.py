"""The worker as it is, in a real environment: JAX's, which starts fastest."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from builders import ENVIRONMENT, arm, workload_in
from builders import SMALL_WORKLOAD as GOOD

from keras_bench.errors import (
    BackendError,
    LossDiverged,
    Unsupported,
    WorkerDied,
    WorkerTimeout,
    WorkloadError,
)
from keras_bench.measure.group import GroupSettings, measure_groups
from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import launcher
from keras_bench.records import Sample
from keras_bench.worker.protocol import STOP, TimingRequest


def test_a_users_own_file_is_trained_as_it_says(measure, pythons):
    sample = measure(GOOD, python=pythons["jax"])
    assert sample.import_seconds > 0
    assert len(sample.epoch_seconds) == len(sample.epoch_cpu_seconds) == len(sample.losses) == 3
    assert sample.losses[2] < sample.losses[0]
    assert sample.metrics == {}
    assert sample.examples == 20
    assert sample.jit_compile is True
    assert sample.peak_rss_bytes > 10**8
    assert sum(sample.epoch_seconds) + sample.import_seconds < sample.process_seconds


def test_all_that_fit_reports_is_kept(measure):
    text = GOOD.replace(
        'model.compile("sgd", "mse")',
        'model.compile("sgd", "mse", metrics=["mae", keras.metrics.R2Score(None)])',
    ).replace('"epochs": 3', '"epochs": 3, "validation_split": 0.5, "validation_freq": 2')
    metrics = measure(text, epochs=4).metrics
    assert set(metrics) == {
        "mae", "r2_score[0]", "val_loss", "val_mae", "val_r2_score[0]",
    }  # fmt: skip
    assert all(len(values) == 4 for values in metrics.values())
    assert [value is None for value in metrics["val_loss"]] == [True, False, True, False]
    assert None not in metrics["mae"]


def test_as_many_epochs_are_trained_as_are_asked_for(measure):
    assert len(measure(GOOD, epochs=5).epoch_seconds) == 5


def test_the_same_seed_trains_the_same(measure):
    assert measure(GOOD).losses == measure(GOOD).losses


def test_a_file_may_import_what_lies_beside_it(measure, tmp_path: Path):
    (tmp_path / "layers_of_mine.py").write_text("UNITS = 1")
    text = GOOD.replace("import os", "import layers_of_mine, os").replace(
        "Dense(1)", "Dense(layers_of_mine.UNITS)"
    )
    assert measure(text).examples == 20


FAULTS = [
    ("def build():", "def build(:", "line 7 has a syntax error"),
    ("def build():", "def make():", r"has no function build\(\)"),
    ("def data(seed):", "data = 3\n\ndef get(seed):", r"has no function data\(\)"),
    ("import os", "import nowhere, os", "breaks at import with ModuleNotFoundError"),
    ('    model.compile("sgd", "mse")\n', "", "isn't compiled"),
    ("return model", "return 3", "returns a int, no keras.Model"),
    ("x[:, :1]", "x[:7, :1]", "returns 20 x and 7 y"),
    ("return x, x[:, :1]", "return x", "no pair of arrays"),
    ("return x, x[:, :1]", "return x[:0], x[:0]", "no examples"),
    ("x[:, :1]", "'text'", "y as str, no array"),
    ('"epochs": 3', '"epochs": 0', "epochs=0"),
    ('"shuffle": True', '"suffle": True', "FIT sets 'suffle', .* 'shuffle'"),
    ("Dense(1)", "Dense(-1)", r"build\(\) raises ValueError"),
    ('"mse"', "lambda *_: 1 / 0", "training raises ZeroDivisionError"),
]


@pytest.fixture(scope="module")
def refusals(train_in_turn, tmp_path_factory) -> list[dict[str, str]]:
    """What a worker says to workloads with a fault each."""
    folder = tmp_path_factory.mktemp("faulty")
    for number, (old, new, _) in enumerate(FAULTS):
        assert old in GOOD
        (folder / f"faulty{number}.py").write_text(GOOD.replace(old, new))
    files = [folder / f"faulty{number}.py" for number in range(len(FAULTS))]
    return train_in_turn("jax", [(file, "build") for file in files])


@pytest.mark.xdist_group("faulty workloads")
@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[reason for *_, reason in FAULTS])
def test_a_faulty_workload_is_explained(refusals, number: int):
    assert refusals[number]["kind"] == "workload"
    assert re.search(FAULTS[number][2], refusals[number]["message"])


def test_a_fault_of_a_workload_names_its_file_and_carries_the_traceback(measure):
    with pytest.raises(WorkloadError, match=r"^mine\.py: build\(\) raises ValueError") as caught:
        measure(GOOD.replace("Dense(1)", "Dense(-1)"))
    assert "\n" not in str(caught.value)
    assert "Traceback" in caught.value.__notes__[0]


def test_a_private_part_that_keras_lacks_is_no_fault_of_the_file(measure):
    text = f"""
from keras_bench.loops.keras_private import MissingPart
from keras_bench.worker import random_data

def gone(layer):
    raise MissingPart("Layer._flatten_layers")

random_data.layers_of = gone
{GOOD.partition("def data")[0]}
"""
    told = r"^not on jax: Keras \d\S+ has no Layer\._flatten_layers, .*; take another release"
    with pytest.raises(Unsupported, match=told):
        measure(text)


def test_a_loss_that_turns_nan_is_no_timing(measure):
    text = GOOD.replace('"sgd"', "keras.optimizers.SGD(1e30)")
    with pytest.raises(LossDiverged, match=r"the loss became (nan|inf) in epoch \d.*learning rate"):
        measure(text)


def test_a_worker_killed_in_training_is_told(measure):
    text = GOOD.replace("    return x, x", "    os.kill(os.getpid(), 9)\n    return x, x")
    with pytest.raises(WorkerDied, match=r"SIGKILL.*while loading the workload"):
        measure(text)


def test_a_worker_that_hangs_is_ended(measure):
    text = GOOD.replace("    return x, x", "    time.sleep(600)\n    return x, x")
    with pytest.raises(WorkerTimeout, match="while loading the workload"):
        measure(text, timeout_seconds=10.0)


def test_gigabytes_of_output_do_no_harm(measure):
    noise = "    for _ in range(2048): sys.stdout.write('x' * 2**20)\n    return x, x"
    assert measure(GOOD.replace("    return x, x", noise)).examples == 20


def test_a_missing_framework_is_named(measure, pythons):
    with pytest.raises(
        BackendError, match=r"torch: has no module named torch; install keras-bench"
    ):
        measure(GOOD, backend="torch", python=pythons["jax"])


def test_a_framework_that_breaks_at_import_is_named(measure, pythons, tmp_path: Path):
    # A broken installation: a torch that fails, found before the real one.
    broken = tmp_path / "broken-python"
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("raise OSError('libtorch.so: no')")
    broken.write_text(
        f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{tmp_path / "broken"}" exec {pythons["torch"]} "$@"\n'
    )
    broken.chmod(0o755)
    with pytest.raises(
        BackendError, match=r"^torch: breaks at import with OSError: libtorch\.so: no"
    ):
        measure(GOOD, backend="torch", python=str(broken))


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_one_thread_is_one_thread_on_every_backend(measure, pythons, backend: str):
    python = pythons[backend]
    single, default = measure(GOOD, backend, python, threads=1), measure(GOOD, backend, python)
    if backend != "jax":
        assert (single.intra_op_threads, single.inter_op_threads) == (1, 1)
    if sys.platform == "linux":
        assert single.os_threads <= default.os_threads


def test_what_keras_compiles_is_read_back(measure):
    compiled = {backend: measure(GOOD, backend).jit_compile for backend in ("tensorflow", "torch")}
    assert compiled == {"tensorflow": False, "torch": False}


def test_work_that_is_added_makes_every_epoch_longer(measure):
    longer = measure(GOOD, epochs=6, added_cpu_seconds=0.05)
    assert min(longer.epoch_cpu_seconds) >= 0.05


#: Its third epoch takes ten minutes.
LONG = """
import time
import keras

class Sleep(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            time.sleep(600)

FIT = dict(FIT, callbacks=[Sleep()])
"""


def test_a_training_is_left_in_the_middle_of_an_epoch(pythons, tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD + LONG)
    request = TimingRequest(workload=workload_in(file), backend="jax", seed=0)
    with launcher(60.0) as workers, workers.start(pythons["jax"], request) as worker:
        worker.begin()
        worker.wait_for_epochs(2)
        worker.tell(STOP)
        sample = worker.answer(Sample)
    assert len(sample.epoch_seconds) == len(sample.losses) == len(worker.epochs) == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_a_group_runs_in_slices_on_the_core_it_is_pinned_to(pythons, tmp_path: Path, backend: str):
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    arms = [
        arm(backend, "mine", environment=replace(ENVIRONMENT, label=label), threads="single")
        for label in ("baseline", "candidate")
    ]
    core = min(os.sched_getaffinity(0))
    targets = dict.fromkeys(arms, Target(pythons[backend], workload_in(file)))
    settings = GroupSettings(2, 0.5, core)
    with launcher(120.0) as workers:
        _, *outcomes = measure_groups(1, [arms], targets, {}, 0, settings, workers)
    samples = [each.result for each in outcomes]
    assert [each.cpus for each in samples] == [(core,), (core,)]
    assert min(sum(each.counted) for each in samples) > 1
    # What others ran meanwhile is no part of an epoch: all of them fit into the process together.
    total = sum(sum(each.epoch_seconds) for each in samples)
    assert total < samples[0].process_seconds
    for each in samples:
        counted = [place for place, share in enumerate(each.counted) if share == 1.0]
        wall = sum(each.epoch_seconds[place] for place in counted)
        assert wall >= 0.9 * sum(each.epoch_cpu_seconds[place] for place in counted)
    shared = min(len(each.losses) for each in samples)
    assert samples[0].losses[:shared] == samples[1].losses[:shared]
