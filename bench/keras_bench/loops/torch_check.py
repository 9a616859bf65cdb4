"""Whether two ways to train on torch leave a model the same."""

from collections.abc import Callable
from typing import Any

import torch

from keras_bench.loops.torch_trace import left_as_it_was

#: How far two ways may part, as a share of how far training moves a group of tensors: the same
#: operators in the same order, and those of a compiler, which sums in another order.
SAME, ROUNDED = 1e-4, 1e-2


def parting(
    groups: dict[str, list[torch.Tensor]],
    one: Callable[[Any], Any],
    other: Callable[[Any], Any],
    batches: Any,
    tolerance: float,
) -> str | None:
    """Train on batches both ways from the same start; return the first group left otherwise.

    The groups are left as they were.
    """
    start = _copies(groups)
    by_one, by_other = _trained(groups, one, batches), _trained(groups, other, batches)
    for name, before in start.items():
        if not _same(before, by_one[name], by_other[name], tolerance):
            return name
    return None


def _trained(
    groups: dict[str, list[torch.Tensor]], train: Callable[[Any], Any], batches: Any
) -> dict[str, list[torch.Tensor]]:
    with left_as_it_was([tensor for group in groups.values() for tensor in group]):
        train(batches)
        return _copies(groups)


def _copies(groups: dict[str, list[torch.Tensor]]) -> dict[str, list[torch.Tensor]]:
    return {name: [each.detach().clone() for each in group] for name, group in groups.items()}


def _same(
    before: list[torch.Tensor],
    one: list[torch.Tensor],
    other: list[torch.Tensor],
    tolerance: float,
) -> bool:
    """Compare a group: its whole numbers to the last, its floats all together.

    A tensor that is moved by rounding alone, such as a bias before a normalization, would differ by
    itself as much as it moves.
    """
    apart, moved, rounding = 0.0, 0.0, 0.0
    for start, left, right in zip(before, one, other, strict=True):
        if not left.is_floating_point():
            if not torch.equal(left, right):
                return False
            continue
        finite = left.isfinite()
        if not torch.equal(finite, right.isfinite()):
            return False
        # Where fit diverges, both do.
        start, left, right = start[finite], left[finite], right[finite]
        apart += float((left - right).double().square().sum())
        moved += float((left - start).double().square().sum())
        rounding += float((left * torch.finfo(left.dtype).eps).double().square().sum())
    return bool(apart**0.5 <= tolerance * moved**0.5 + 100 * rounding**0.5)
