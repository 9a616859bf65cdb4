"""Keras's random numbers in a trace on torch: drawn at each step, from the seed of that step.

Keras makes a `torch.Generator` from the numbers in a seed's variable, in Python. A trace would keep
the first step's numbers for ever. So in a trace a seed is drawn as a tensor, and what takes numbers
from its generator becomes one operator that makes the generator when it runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from keras_bench.loops import keras_private

#: What the operator calls, by number: Keras's own calls of torch, in the order they were traced.
_CALLS: list[Callable[..., torch.Tensor]] = []


class _DrawnSeed(torch.Generator):  # type: ignore[misc]
    """Stands for the generator that a step will make of the seed that it draws."""

    tensor: torch.Tensor


@contextmanager
def drawn_at_each_step() -> Iterator[None]:
    """Trace the random numbers of Keras's functions, rather than the numbers of this step."""
    with patch.object(keras_private.torch_random(), "torch_seed_generator", _draw_seed), _Draws():
        yield


def _draw_seed(seed: Any) -> _DrawnSeed:
    drawn = _DrawnSeed()
    drawn.tensor = keras_private.torch_random().draw_seed(seed)
    return drawn


class _Draws(TorchFunctionMode):  # type: ignore[misc]
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        seed = kwargs.pop("generator", None)
        if not isinstance(seed, _DrawnSeed):
            return func(*args, **kwargs, **({} if seed is None else {"generator": seed}))
        leaves, spec = pytree.tree_flatten((args, kwargs))
        tensors = [leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor)]
        others = [None if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

        def call(tensors: list[torch.Tensor], **generator: torch.Generator) -> torch.Tensor:
            filled = list(others)
            for place, tensor in zip(places, tensors, strict=True):
                filled[place] = tensor
            args, kwargs = pytree.tree_unflatten(filled, spec)
            return func(*args, **kwargs, **generator)

        _CALLS.append(call)
        return torch.ops.keras_bench.draw(seed.tensor, tensors, len(_CALLS) - 1)


@torch.library.custom_op("keras_bench::draw", mutates_args=())  # type: ignore[untyped-decorator]
def _draw(seed: torch.Tensor, tensors: list[torch.Tensor], call: int) -> torch.Tensor:
    # The generator is made by Keras, so that it is the one that `fit` draws from.
    random = keras_private.torch_random()
    with patch.object(random, "draw_seed", lambda _: seed):
        return _CALLS[call](tensors, generator=random.torch_seed_generator(None))


@_draw.register_fake  # type: ignore[untyped-decorator]
def _(seed: torch.Tensor, tensors: list[torch.Tensor], call: int) -> torch.Tensor:
    return _CALLS[call](tensors)
