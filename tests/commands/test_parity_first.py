"""What a run keeps of the check of parity before it."""

import math
from pathlib import Path

import pytest
from builders import failed_learner, learner, result, running_losses, verdict

from bench.commands import parity_first
from bench.measure.runner import Target
from bench.report.terminal import make_console


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


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_losses_that_no_file_can_hold_are_left_out(monkeypatch, loss):
    jax, torch = checked(
        monkeypatch,
        learner("jax", losses=running_losses(0.5, loss)),
        learner("torch", losses=running_losses(0.5, 0.25)),
    )
    assert jax.running_losses == ()
    assert torch.running_losses == (0.5, 0.25)
