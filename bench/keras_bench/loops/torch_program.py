"""Many steps of a traced training as one program of torch's compiler."""

from collections.abc import Callable
from typing import Any

import torch
from torch._higher_order_ops.while_loop import while_loop_op
from torch.fx.experimental.proxy_tensor import make_fx

from keras_bench.loops.torch_trace import TracedStep, left_as_it_was, tensors_of

#: The program's own loop calls no Python, and layers without a seed draw from torch's generator.
OPTIONS = {"cpp_wrapper": True, "fallback_random": True}

#: What the processor can do is taken for granted; to try it by compiling takes ten seconds.
TRUSTED = {"cpp.vec_isa_ok": True}


class Program:
    """Trains on batches; where there are more than it was made for, so many at a time."""

    def __init__(self, step: TracedStep, batches: Any) -> None:
        """Compile the loop over a step.

        Raises:
            Exception: torch has no C++ compiler, or can't compile the step, in torch's words.
        """
        self._step = step
        stacks = tensors_of(batches)
        self._steps = len(stacks[0])
        self._stacks = [torch.zeros_like(stack) for stack in stacks]
        with torch.no_grad(), left_as_it_was(step.state):
            inputs = self._inputs(0)
            loop = make_fx(_loop(step), tracing_mode="fake")(*inputs)
            try:
                self._compiled = torch._inductor.compile(loop, inputs, options=OPTIONS | TRUSTED)
            except Exception:
                self._compiled = torch._inductor.compile(loop, inputs, options=OPTIONS)

    def __call__(self, batches: Any) -> Any:
        """Train on every batch, and return the logs of the last."""
        stacks = tensors_of(batches)
        logs = None
        for start in range(0, len(stacks[0]), self._steps):
            logs = self._run([stack[start : start + self._steps] for stack in stacks])
        return logs

    def _run(self, stacks: list[torch.Tensor]) -> Any:
        with torch.no_grad():
            torch._foreach_copy_([own[: len(stacks[0])] for own in self._stacks], stacks)
            after = self._compiled(*self._inputs(len(stacks[0])))
            changed = [self._step.state[place] for place in self._step.changed]
            torch._foreach_copy_(changed, list(after[: len(changed)]))
        return self._step.logs(after[len(changed) :])

    def _inputs(self, steps: int) -> list[torch.Tensor]:
        state = [tensor.detach() for tensor in self._step.state]
        return [torch.tensor(steps), *state, *self._stacks]


def _loop(step: TracedStep) -> Callable[..., tuple[torch.Tensor, ...]]:
    """Return the loop over a step as a function of its number of steps, its state and batches.

    It returns what a step changes, and the logs of the last.
    """
    size, changed = len(step.state), step.changed
    fixed = [place for place in range(size) if place not in changed]

    def changing(*tensors: torch.Tensor) -> list[torch.Tensor]:
        state = [t.clone() if at in changed else t for at, t in enumerate(tensors[:size])]
        logs = step.graph(*state, *tensors[size:])
        # A loop must return what shares no memory with what it was given.
        return [each.clone() for each in (*(state[place] for place in changed), *logs)]

    # Of the operators that write in place, a loop knows those on one tensor alone.
    run = torch.func.functionalize(changing, remove="mutations")

    def loop(steps: torch.Tensor, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        state, stacks = tensors[:size], tensors[size:]
        # A loop must be given what it returns, so logs, too.
        logs = [torch.zeros(each.shape, dtype=each.dtype) for each in step.returned]
        carried = [state[place] for place in changed] + logs
        others = [state[place] for place in fixed]

        def more(index: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
            return index < rest[len(carried)]

        def body(index: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
            values = dict(zip(changed, rest, strict=False))
            rest = rest[len(carried) + 1 :]
            values |= dict(zip(fixed, rest, strict=False))
            batch = [
                stack.index_select(0, index.reshape(1)).squeeze(0) for stack in rest[len(fixed) :]
            ]
            return (index + 1, *run(*(values[place] for place in range(size)), *batch))

        index = torch.zeros((), dtype=torch.int64)
        return while_loop_op(  # type: ignore[no-any-return]
            more, body, (index, *carried), (steps, *others, *stacks)
        )[1:]

    return loop
