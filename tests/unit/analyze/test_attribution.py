"""Stacks and times go in, the parts of an epoch come out: with known answers."""

import math

import numpy as np
import pytest
from stacks import (
    ADAPTER,
    BACKWARD,
    DISPATCH,
    EVALUATE,
    EXECUTE,
    JAX_FIT,
    LAYER,
    LOADER,
    LOGS,
    MATMUL,
    MINE,
    STEP,
    TF_FIT,
    TO_NUMPY,
    TORCH_FIT,
    TORCH_STEP,
    TREE_MAP,
    WAIT,
    WORKER,
    stack,
)

from keras_bench.analyze.attribution import functions, layer_of, layers, parts
from keras_bench.records import Frame, Profile


@pytest.mark.parametrize(
    ("frames", "layer"),
    [
        ((JAX_FIT, STEP), "the framework"),
        ((JAX_FIT, STEP, ADAPTER), "data pipeline"),
        ((JAX_FIT, ADAPTER, TREE_MAP), "data pipeline"),
        ((JAX_FIT, TREE_MAP), "Keras's step"),
        ((JAX_FIT, DISPATCH, WAIT), "callbacks and logs"),
        ((JAX_FIT, LOGS, TO_NUMPY), "callbacks and logs"),
        ((JAX_FIT, EVALUATE, STEP, ADAPTER), "validation"),
        ((JAX_FIT, DISPATCH, EVALUATE, STEP), "callbacks and logs"),
        ((JAX_FIT, LAYER), "Keras's step"),
        ((JAX_FIT,), "Keras's step"),
        ((TORCH_FIT, TORCH_STEP), "Keras's step"),
        ((TORCH_FIT, TORCH_STEP, LAYER, MATMUL), "the framework"),
        ((TORCH_FIT, TORCH_STEP, BACKWARD), "the framework"),
        ((TORCH_FIT, LOADER, MATMUL), "data pipeline"),
        ((TORCH_FIT, TORCH_STEP, LAYER, MINE), "the model's own Python"),
        ((TORCH_FIT, TORCH_STEP, LAYER, MINE, TREE_MAP), "the model's own Python"),
        ((TF_FIT,), "data pipeline"),
        ((TF_FIT, EXECUTE, WAIT), "the framework"),
        ((Frame("Trainer.fit", ""), TREE_MAP), "other"),
    ],
)
def test_a_stack_belongs_to_the_layer_that_it_is_in(frames: tuple[Frame, ...], layer: str):
    assert layer_of((*WORKER, *frames)) == layer


def test_only_what_is_called_within_fit_decides():
    outside = Frame("on_epoch_end", WORKER[0].file)
    assert layer_of((outside, JAX_FIT, STEP)) == "the framework"
    assert layer_of((JAX_FIT, outside, STEP)) == "callbacks and logs"


PROFILE = Profile(
    "py-spy",
    (
        stack(JAX_FIT, STEP, samples=600),
        stack(JAX_FIT, LAYER, samples=150),
        stack(JAX_FIT, STEP, ADAPTER, samples=50),
        stack(JAX_FIT, ADAPTER, samples=100),
        stack(JAX_FIT, DISPATCH, WAIT, samples=100),
    ),
)


def test_shares_are_those_of_the_samples():
    found = {each.name: each.share for each in layers(PROFILE)}
    assert {name: each.value for name, each in found.items()} == {
        "the framework": 0.6,
        "Keras's step": 0.15,
        "data pipeline": 0.15,
        "callbacks and logs": 0.1,
    }
    assert all(each.low < each.value < each.high for each in found.values())


def test_the_functions_that_cost_most_come_first():
    first, second, *_ = functions(PROFILE, 3)
    assert (first.name, first.file, first.share.value) == (STEP.function, STEP.file, 0.6)
    # However it was reached; the one below has as many samples, and one stack.
    assert (second.name, second.layer, second.share.value) == (
        "Layer.__call__", "Keras's step", 0.15,
    )  # fmt: skip
    assert len(functions(PROFILE, 3)) == 3


FIT, FUSED, BARE = [0.100, 0.101, 0.099], [0.0040, 0.0041, 0.0039], [0.0030, 0.0031, 0.0029]


@pytest.mark.parametrize("profile", [PROFILE, None])
@pytest.mark.parametrize("others", [{}, {"fused": FUSED}, {"bare": BARE},
                                    {"bare": BARE, "fused": FUSED}])  # fmt: skip
def test_the_parts_add_up_to_the_epoch(others, profile):
    found = parts({"fit": FIT, **others}, profile)
    whole = math.exp(np.log(FIT).mean())
    assert sum(each.epoch_seconds.value for each in found) == pytest.approx(whole)
    assert all(
        each.epoch_seconds.low <= each.epoch_seconds.value <= each.epoch_seconds.high
        for each in found
    )


def test_each_part_is_what_it_says():
    found = parts({"fit": [0.1] * 3, "fused": [0.004] * 3, "bare": [0.003] * 3}, PROFILE)
    assert {each.name: pytest.approx(each.epoch_seconds.value) for each in found} == {
        "arithmetic": 0.003,
        "Keras's own operations": 0.001,
        "the framework's dispatch": 0.056,
        "data pipeline": 0.015,
        "callbacks and logs": 0.01,
        "Keras's step": 0.015,
    }


def test_validation_is_taken_from_what_the_other_loops_do_as_well():
    seen = Profile("py-spy", (stack(JAX_FIT, STEP, samples=50), stack(JAX_FIT, EVALUATE, STEP)))
    found = parts({"fit": [0.1] * 3, "fused": [0.004] * 3}, seen)
    assert [each.name for each in found] == [
        "arithmetic and Keras's own operations", "the framework's dispatch",
    ]  # fmt: skip


def test_without_a_profile_the_rest_is_one_part():
    found = parts({"fit": [0.1] * 3, "fused": [0.004] * 3}, None)
    assert [each.epoch_seconds.value for each in found] == pytest.approx([0.004, 0.096])


def test_two_processes_give_no_interval():
    found = parts({"fit": FIT[:2], "fused": FUSED}, PROFILE)
    program, *others = found
    assert program.epoch_seconds.low is not None
    assert {each.epoch_seconds.low for each in others} == {None}


def test_what_runs_beside_the_thread_leaves_less_than_nothing():
    (_, dispatch, *_) = parts({"fit": [0.1] * 3, "fused": [0.08] * 3}, PROFILE)
    assert dispatch.epoch_seconds.value == pytest.approx(-0.02)
