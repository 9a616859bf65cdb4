"""What a run keeps of the check of parity before it."""

import math
from pathlib import Path

import pytest
from builders import (
    REFUSED,
    arm,
    cause,
    deviation,
    failed_learner,
    learner,
    loop_verdict,
    result,
    running_losses,
    verdict,
)

from keras_bench.commands import parity_first
from keras_bench.measure.outcomes import Target
from keras_bench.parity.places import EPOCH_METRIC
from keras_bench.records import ArmResult
from keras_bench.report.terminal import make_console


def checked(monkeypatch, *backends, **changes):
    """Return the parities of a jax and a torch arm by a check that comes to this."""
    found = verdict(*backends, **changes)
    monkeypatch.setattr(parity_first, "check_parity", lambda *_: found)
    results = (result("jax"), result("torch"))
    arms = [each.arm for each in results]
    targets = {arm: Target("python", Path("net.py")) for arm in arms}
    known = parity_first.check_first(
        make_console(), results, [arms], targets, lambda arm: arm.backend, 0, None, debug=False
    )
    return [each.parity for each in known]


def test_the_losses_after_each_step_are_kept_beside_the_references(monkeypatch):
    jax, torch = checked(
        monkeypatch,
        learner("jax", losses=running_losses(0.5, 0.25)),
        learner("torch", losses=running_losses(0.5, 0.26)),
    )
    assert (jax.running_losses, torch.running_losses) == ((0.5, 0.25), (0.5, 0.26))
    # The loss of the epoch is the last of them again.
    assert jax.reference_losses == torch.reference_losses == (0.5, 0.25)


def test_one_that_could_not_be_checked_has_none(monkeypatch):
    jax, torch = checked(
        monkeypatch, learner("jax", losses=running_losses(0.5, 0.25)), failed_learner("torch")
    )
    assert jax.running_losses
    assert torch.running_losses == ()


def test_what_loses_digits_is_told_with_the_outcome(monkeypatch):
    loses = "jax computes the output of layer bn to 4 digits in float32"
    jax, torch = checked(monkeypatch, learner("jax", remarks=(loses,)), learner("torch"))
    assert (jax.outcome, jax.summary) == ("agrees", f"jax agrees to rounding; {loses}")
    assert torch.summary == "torch agrees to rounding"


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_losses_that_no_file_can_hold_are_left_out(monkeypatch, loss):
    jax, torch = checked(
        monkeypatch,
        learner("jax", losses=running_losses(0.5, loss)),
        learner("torch", losses=running_losses(0.5, 0.25)),
    )
    assert jax.running_losses == ()
    assert torch.running_losses == (0.5, 0.25)


def checked_by_loops(monkeypatch, of_backends, of_loops, *loops):
    """Return the results of arms of jax and torch, each by these loops."""
    asked = []

    def check_loops(learners, loops, settings, workers):
        asked.append({name: tuple(each) for name, each in loops.items()})
        return {(each.learner, each.loop): each for each in of_loops}

    monkeypatch.setattr(parity_first, "check_parity", lambda *_: verdict(*of_backends))
    monkeypatch.setattr(parity_first, "check_loops", check_loops)
    arms = [arm(backend, loop=loop) for backend in ("jax", "torch") for loop in loops]
    targets = {each: Target("python", Path("net.py")) for each in arms}
    results = parity_first.check_first(
        make_console(),
        tuple(map(ArmResult, arms)),
        [arms],
        targets,
        lambda arm: arm.backend,
        0,
        None,
        debug=False,
    )
    return {each.arm.contender: each for each in results}, asked


def test_an_arms_parity_is_the_worse_of_its_backends_and_its_loops(monkeypatch):
    off = deviation(EPOCH_METRIC, size=0.5, step=0)
    found, asked = checked_by_loops(
        monkeypatch,
        (
            learner("jax", losses=running_losses(0.5, 0.25)),
            learner("torch", outcome="differs", causes=(cause("the loss", deviation(size=0.1)),)),
        ),
        (loop_verdict("jax", "fused", off, outcome="differs"), loop_verdict("torch", "fused")),
        "fit",
        "fused",
    )
    assert {name: each.parity.outcome for name, each in found.items()} == {
        "jax": "agrees",
        "jax fused": "differs",
        "torch": "differs",
        "torch fused": "differs",
    }
    assert "jax fused parts from fit: loss" in found["jax fused"].parity.summary
    assert found["torch fused"].parity.summary == found["torch"].parity.summary
    assert asked == [{"jax": ("fused",), "torch": ("fused",)}]
    # The losses after each step are those of fit.
    assert found["jax"].parity.running_losses
    assert found["jax fused"].parity.running_losses == ()


def test_the_backends_are_checked_by_fit_where_no_arm_is(monkeypatch):
    found, asked = checked_by_loops(
        monkeypatch,
        (learner("jax"), failed_learner("torch")),
        [loop_verdict(each, loop) for each in ("jax", "torch") for loop in ("fused", "batch")],
        "fused",
        "batch",
    )
    outcomes = {name: each.parity.outcome for name, each in found.items()}
    assert outcomes == {
        "jax fused": "agrees",
        "jax batch": "agrees",
        "torch fused": "unchecked",
        "torch batch": "unchecked",
    }
    assert asked == [{"jax": ("fused", "batch"), "torch": ("fused", "batch")}]


def test_a_loop_that_refuses_has_failed_before_any_worker_of_its_starts(monkeypatch):
    refused = loop_verdict(
        "jax", outcome="unchecked", failure=REFUSED, exit_code=3, unsupported=True
    )
    found, _ = checked_by_loops(
        monkeypatch,
        (learner("jax"), learner("torch")),
        (refused, loop_verdict("torch")),
        "fit",
        "fused",
    )
    failure = found["jax fused"].failure
    assert (failure.message, failure.exit_code, failure.unsupported) == (REFUSED, 3, True)
    assert [name for name, each in found.items() if each.failure] == ["jax fused"]


def test_without_another_loop_than_fit_no_worker_starts_for_loops(monkeypatch):
    found, asked = checked_by_loops(monkeypatch, (learner("jax"), learner("torch")), (), "fit")
    assert asked == []
    assert found["jax"].parity.summary == "jax agrees to rounding"
