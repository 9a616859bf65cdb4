"""What can't have been measured is told, and what was isn't accused."""

import math
from dataclasses import replace

import pytest
from builders import arm, gate, in_slices, result, run, sample

from keras_bench.records import GateSettings
from keras_bench.soundness import fault_of_arm, fault_of_measured, fault_of_sample


@pytest.mark.parametrize("known", [sample(), in_slices(), sample(losses=()), sample(epochs=1)])
def test_what_was_measured_has_no_fault(known):
    assert fault_of_sample(known) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"metrics": {"accuracy": (0.5, math.nan)}}, "its accuracy is nan in epoch 2"),
        ({"losses": (math.inf, 0.5)}, "its loss is inf in epoch 1"),
        ({"epoch_seconds": (1.0, 0.0)}, "an epoch took 0 s"),
        ({"epoch_seconds": (1.0, 1e308)}, "an epoch took 1e+308 s"),
        ({"epoch_seconds": (1.0, math.nan)}, "an epoch took nan s"),
        ({"epoch_cpu_seconds": (1.0, -2.0)}, "an epoch took -2 s of CPU time"),
        ({"epoch_seconds": (1.0,)}, "it is of 1 and 2 epochs"),
        ({"losses": (0.7,)}, "it is of 1 and 2 epochs"),
        ({"counted": (1.0,)}, "it is of 1 and 2 epochs"),
        ({"counted": (0.0, 2.0)}, "a share of an epoch"),
        ({"import_seconds": math.nan}, "it was prepared in nan s"),
        ({"build_seconds": -1.0}, "it was prepared in -1 s"),
        ({"examples": 0}, "its examples is 0"),
        ({"peak_rss_bytes": 2**80}, "its peak_rss_bytes is 1208925819614629174706176"),
    ],
)
def test_a_sample_that_cannot_be_is_told(fields, said):
    known = sample(epoch_seconds=(1.0, 0.5), epoch_cpu_seconds=(1.0, 0.5), losses=(0.7, 0.6))
    assert said in fault_of_sample(replace(known, **fields))


def test_a_sample_of_no_epoch_is_none():
    assert (
        fault_of_sample(sample(epoch_seconds=(), epoch_cpu_seconds=(), losses=()))
        == "it is of no epoch"
    )


@pytest.mark.parametrize("loop", ["fit", "fit:32", "fused", "fit jit_compile=True", "data alone"])
def test_arms_that_are_measured_are_some(loop):
    assert fault_of_arm(replace(arm(), loop=loop)) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"backend": "cntk"}, "no backend is named 'cntk'"),
        ({"loop": "fit:x"}, "no loop is named 'fit:x'"),
        ({"loop": ""}, "no loop is named ''"),
        ({"threads": "²"}, "no thread policy is named '²'"),
        ({"workload": ""}, "a workload has no name"),
    ],
)
def test_an_arm_that_cannot_be_is_told(fields, said):
    assert fault_of_arm(replace(arm(), **fields)) == said


def test_runs_and_gates_are_sound():
    assert fault_of_measured(run(result("jax", 0.1, 0.2), result("torch", 0.3))) == ""
    assert fault_of_measured(gate(result("jax", 0.1), replace(result("torch", 0.1)))) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"results": ()}, "it measured nothing"),
        ({"started_utc": "2026-13-01T00:00:00Z"}, "it started at"),
        ({"started_utc": "today"}, "it started at"),
        ({"stopped": "bored"}, "it ended by 'bored'"),
        ({"elapsed_seconds": math.inf}, "one of its numbers is inf"),
        ({"settings": GateSettings(threshold=math.nan)}, "one of its numbers is nan"),
        ({"results": (result("jax", 0.1), result("jax", 0.1))}, "two of its arms are one"),
        ({"results": (result("jax", sample(losses=(math.nan,) * 10)),)}, "net[jax]: its loss is"),
    ],
)
def test_a_measurement_that_cannot_be_is_told(changes, said):
    assert said in fault_of_measured(replace(gate(result("jax", 0.1)), **changes))
