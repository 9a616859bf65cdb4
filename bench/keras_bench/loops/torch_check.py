"""Whether two ways to train on torch leave a model the same, but for rounding."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from keras_bench.loops.torch_trace import left_as_it_was

#: How often numbers are moved by a rounding, to see how far that takes a step.
REPLICAS = 4

#: Rounding explains this many times the largest distance among them.
SAFETY = 8.0

Groups = dict[str, list[torch.Tensor]]
Train = Callable[[Any], Any]


@dataclass(frozen=True)
class Tolerance:
    """How far two ways may part, as shares of how far a step moves a group of tensors.

    It is `least`, and `most` where rounding by itself takes a step that far.
    """

    least: float
    most: float


#: Of the same operators in the same order, and of a compiler's, which sums in another order.
SAME, ROUNDED = Tolerance(1e-4, 1e-2), Tolerance(1e-2, 1e-1)

#: Of a compiler's in several steps that begin where the one before ends: in a chaotic training they
#: may come to other places altogether.
CARRIED = Tolerance(1e-2, 10.0)


def parting(
    groups: Groups,
    one: Train,
    other: Train,
    traced: Train,
    batches: Iterable[Any],
    tolerance: Tolerance,
) -> str | None:
    """Train on batches both ways; return the first group that is left otherwise.

    Each batch begins where one way has come to: in a chaotic training, rounding alone takes the two
    apart within a few. The groups are left as they were. What may draw or count in Python trains on
    each batch once, for to do it again would go on from there.

    Args:
        groups: the tensors that a step changes, by what they are for.
        one: trains on a batch; Python may have a part in it.
        other: what is to do the same.
        traced: trains on one without Python, so that rounding alone moves what it leaves.
        batches: what to train on in turn.
        tolerance: how far they may part.
    """
    with left_as_it_was([tensor for group in groups.values() for tensor in group]):
        for batch in batches:
            start = _Start(_copies(groups), torch.get_rng_state())
            one(batch)
            by_one, by_other = _copies(groups), _trained(groups, other, batch, start)
            off = [
                name
                for name, before in start.values.items()
                if not _same(before, by_one[name], by_other[name], tolerance)
            ]
            spread = _spread(groups, traced, batch, start) if off else {}
            for name in off:
                before, allowed = start.values[name], SAFETY * spread[name]
                if not _same(before, by_one[name], by_other[name], tolerance, allowed):
                    return name
    return None


@dataclass(frozen=True)
class _Start:
    """Where a step begins: the values of all tensors, and the state of torch's random numbers."""

    values: Groups
    drawn: torch.Tensor


def _trained(
    groups: Groups, train: Train, batch: Any, start: _Start, randomness: Any = None
) -> Groups:
    """Return what training leaves from a start, which is rounded at random where that is given."""
    with left_as_it_was([tensor for group in groups.values() for tensor in group]):
        torch.set_rng_state(start.drawn)
        with torch.no_grad():
            for name, group in groups.items():
                for tensor, before in zip(group, start.values[name], strict=True):
                    tensor.copy_(before if randomness is None else _rounded(before, randomness))
        train(batch)
        return _copies(groups)


def _spread(groups: Groups, traced: Train, batch: Any, start: _Start) -> dict[str, float]:
    """Return how far rounding at the start moves each group."""
    exact = _trained(groups, traced, batch, start)
    randomness = torch.Generator().manual_seed(0)
    moved = [_trained(groups, traced, batch, start, randomness) for _ in range(REPLICAS)]
    return {name: max(_distance(exact[name], each[name]) for each in moved) for name in groups}


def _rounded(tensor: torch.Tensor, randomness: torch.Generator) -> torch.Tensor:
    """Move floats by up to a rounding; zeros and other whole numbers are exact, and stay."""
    if not tensor.is_floating_point():
        return tensor
    error = 2 * torch.rand(tensor.shape, generator=randomness) - 1
    rounded = tensor * (1 + torch.finfo(tensor.dtype).eps * error.to(tensor.dtype))
    return torch.where(tensor == tensor.round(), tensor, rounded)


def _copies(groups: Groups) -> Groups:
    return {name: [each.detach().clone() for each in group] for name, group in groups.items()}


def _distance(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """Return how far the finite floats of a group are apart, all together."""
    apart = 0.0
    for left, right in zip(one, other, strict=True):
        if left.is_floating_point():
            both = left.isfinite() & right.isfinite()
            apart += float((left[both] - right[both]).double().square().sum())
    return math.sqrt(apart)


def _same(
    before: list[torch.Tensor],
    one: list[torch.Tensor],
    other: list[torch.Tensor],
    tolerance: Tolerance,
    allowed: float = 0.0,
) -> bool:
    """Compare a group: its whole numbers to the last, its floats all together.

    So far apart as is `allowed` is rounding.

    A tensor that is moved by rounding alone, such as a bias before a normalization, would differ by
    itself as much as it moves.
    """
    rounding = 0.0
    for left, right in zip(one, other, strict=True):
        if not left.is_floating_point():
            if not torch.equal(left, right):
                return False
            continue
        finite = left.isfinite()
        # Where fit diverges, both do.
        if not torch.equal(finite, right.isfinite()):
            return False
        rounding += float((left[finite] * torch.finfo(left.dtype).eps).double().square().sum())
    moved = _distance(before, one)
    explained = max(tolerance.least * moved, min(allowed, tolerance.most * moved))
    return _distance(one, other) <= explained + 100 * math.sqrt(rounding)
