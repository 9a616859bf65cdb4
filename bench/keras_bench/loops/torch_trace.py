"""A model's own `train_step` as a graph of torch's operators, which changes the model in place."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import torch
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.graph import CodeGen
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal
from keras_bench.loops.torch_random import drawn_at_each_step

aten = torch.ops.aten


class TracedStep:
    """A step of training as a graph.

    Attributes:
        groups: the tensors that a step reads and changes, the model's own, by what they are for
        changed: the places in the state of those that it changes
        graph: takes the tensors of the state and of a batch, one by one; returns `returned`
        returned: the tensors of the logs when it was traced; none where the metrics tell all
    """

    def __init__(self, model: Any, batch: Any) -> None:
        """Trace the step, and leave the model as it was.

        Raises:
            LoopRefusal: the step decides in Python what a graph can't.
        """
        self.groups = state_of(model)
        graph, logs, written = _trace(model, self.state, batch)
        strays = _strays(graph)
        if strays:
            # What is neither the model's nor made by the step is another thing that it may change.
            written.undo(strays)
            self.groups["the tensors of others"] = strays
            graph, logs, written = _trace(model, self.state, batch)
        self._logs = logs
        self.returned: list[torch.Tensor] = tensors_of(logs)
        if keras_private.logs_of_epoch(model)(logs) is not logs:
            # Keras takes an epoch's logs from the metrics, by their names.
            self.returned = []
            graph.graph.output_node().args = ([],)
        self.changed = [place for place, tensor in enumerate(self.state) if tensor in written]
        self.groups["the arrays"] = _tidy(graph, len(self.state))
        self.graph = graph

    @property
    def state(self) -> list[torch.Tensor]:
        """All tensors of the groups, in order."""
        return [tensor for group in self.groups.values() for tensor in group]

    def __call__(self, batch: Any) -> Any:
        """Train on a batch, and return the logs."""
        with torch.no_grad():
            return self.logs(self.graph(*self.state, *tensors_of(batch)))

    def logs(self, tensors: Any) -> Any:
        """Return the step's logs from what the graph returns for them."""
        given = iter(tensors)
        return pytree.tree_map_only(torch.Tensor, lambda _: next(given, None), self._logs)


def tensors_of(batch: Any) -> list[torch.Tensor]:
    """Return the tensors in a nest."""
    return [leaf for leaf in pytree.tree_leaves(batch) if isinstance(leaf, torch.Tensor)]


def state_of(model: Any) -> dict[str, list[torch.Tensor]]:
    """Return the tensors of all variables of a compiled model, each once, by what they are for."""
    groups = {
        "the weights": [variable.value for variable in model.trainable_variables],
        "the other variables": [variable.value for variable in model.non_trainable_variables],
        "the optimizer": [variable.value for variable in model.optimizer.variables],
        "the metrics": [variable.value for variable in model.metrics_variables],
        "the modules": [*model.parameters(), *model.buffers()],
    }
    seen: set[int] = set()
    return {
        name: [tensor for tensor in group if not (id(tensor) in seen or seen.add(id(tensor)))]  # type: ignore[func-returns-value]
        for name, group in groups.items()
    }


@contextmanager
def left_as_it_was(state: list[torch.Tensor]) -> Iterator[None]:
    """Put back what training in here changes: the state, the gradients, torch's random numbers."""
    before = [tensor.detach().clone() for tensor in state]
    gradients = [tensor.grad for tensor in state]
    drawn = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(drawn)
        with torch.no_grad():
            for tensor, value, gradient in zip(state, before, gradients, strict=True):
                tensor.copy_(value)
                tensor.grad = gradient


def _trace(model: Any, state: list[torch.Tensor], batch: Any) -> tuple[GraphModule, Any, "_Writes"]:
    """Return the graph of a step, its logs in tensors, and what it writes to."""
    logs: Any = None
    written = _Writes()

    def step(*tensors: torch.Tensor) -> list[torch.Tensor]:
        nonlocal logs
        given = iter(tensors[len(state) :])
        with written:
            logs = model.train_step(
                pytree.tree_map_only(torch.Tensor, lambda _: next(given), batch)
            )
        logs = pytree.tree_map(lambda each: torch.as_tensor(each).detach(), logs)
        return tensors_of(logs)

    with left_as_it_was(state), ExitStack() as stack:
        stack.enter_context(drawn_at_each_step())
        stack.enter_context(_NothingOutOfTensors())
        stack.enter_context(
            keras_private.torch_operations(
                cond=_both_branches(state),
                # Keras takes scalars out of tensors where torch would take the tensors.
                convert_to_numpy=_kept_as_tensor(),
            )
        )
        stack.enter_context(_errors_as_raised())
        try:
            graph = make_fx(step)(*state, *tensors_of(batch))
        except LoopRefusal:
            raise
        except Exception as error:
            raise LoopRefusal(f"the training step: {_reason(error)}; train with fit") from error
    graph.graph.set_codegen(CodeGen())
    return graph, logs, written


def first_line(error: Exception) -> str:
    """Return what an error of torch's says first; pages follow."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _reason(error: Exception) -> str:
    words = first_line(error)
    if "get value out of a tracing tensor" in words:
        return "it decides in Python by a number in a tensor, and a traced one can't"
    return f"torch can't trace it ({words})"


class _NothingOutOfTensors(TorchFunctionMode):  # type: ignore[misc]
    """Refuses what would keep a number of this step in the graph for ever."""

    TAKEN = (
        torch.Tensor.__array__,
        torch.Tensor.numpy,
        torch.Tensor.tolist,
    )

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in self.TAKEN:
            raise LoopRefusal(
                f"the training step: it takes numbers out of tensors ({func.__name__}), which a "
                "traced one can't; use keras.ops, or train with fit"
            )
        if isinstance(kwargs.get("alpha"), torch.Tensor) and func in (
            torch._foreach_add_,
            torch._foreach_add,
        ):
            first, second = args
            return func(first, torch._foreach_mul(second, kwargs["alpha"]))
        return func(*args, **kwargs)


@contextmanager
def _errors_as_raised() -> Iterator[None]:
    """Let Keras put no words of its own around those of an error."""
    filters = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        yield
    finally:
        if filters:
            keras.config.enable_traceback_filtering()


def _kept_as_tensor() -> Callable[[Any], Any]:
    """Return Keras's conversion to NumPy for a trace: a tensor stays one."""
    converted = keras_private.torch_operation("convert_to_numpy")
    return lambda x: x.detach() if isinstance(x, torch.Tensor) else converted(x)


def _both_branches(state: list[torch.Tensor]) -> Callable[..., Any]:
    """Return Keras's `cond` for a trace: both branches run, and the state of one is kept."""
    decided_in_python = keras_private.torch_operation("cond")
    device = keras_private.torch_operation("get_device")

    def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        if not isinstance(pred, torch.Tensor) or device() == "meta":
            return decided_in_python(pred, true_fn, false_fn)
        pred = pred.detach().clone()
        before = [_copy(tensor) for tensor in state]
        with _Writes() as written_if_true:
            if_true = true_fn()
        after = {
            place: _copy(tensor) for place, tensor in enumerate(state) if tensor in written_if_true
        }
        with torch.no_grad():
            for place in after:
                state[place].copy_(before[place])
        with _Writes() as written_if_false:
            if_false = false_fn()
        with torch.no_grad():
            for place, tensor in enumerate(state):
                if place in after or tensor in written_if_false:
                    tensor.copy_(torch.where(pred, after.get(place, before[place]), tensor))
        return keras.tree.map_structure(
            lambda a, b: None if a is None else torch.where(pred, a, b), if_true, if_false
        )

    return cond


class _Writes(TorchDispatchMode):  # type: ignore[misc]
    """Notes which tensors are written to, and what they held."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __contains__(self, tensor: torch.Tensor) -> bool:
        return _memory(tensor) in self._before

    def undo(self, tensors: list[torch.Tensor]) -> None:
        """Put back what these tensors held."""
        with torch.no_grad():
            for tensor in tensors:
                if tensor in self:
                    written, before = self._before[_memory(tensor)]
                    written.copy_(before)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        for place, argument in enumerate(func._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                value = args[place] if place < len(args) else kwargs.get(argument.name)
                for tensor in tensors_of(value):
                    if tensor not in self:
                        self._before[_memory(tensor)] = tensor, _copy(tensor)
        return func(*args, **kwargs)


def _memory(tensor: torch.Tensor) -> int:
    # A view is written to in place of what it shows.
    return int(tensor.untyped_storage()._cdata)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _strays(graph: GraphModule) -> list[torch.Tensor]:
    """Return the tensors that the graph found elsewhere than in its inputs and in Python."""
    return [
        getattr(graph, node.target)
        for node in graph.graph.find_nodes(op="get_attr")
        if any(user.target is not aten.lift_fresh_copy.default for user in node.users)
    ]


def _tidy(graph: GraphModule, inputs: int) -> list[torch.Tensor]:
    """Take out what only autograd needed, and numbers from Python.

    A single number becomes part of the graph, which a compiler sees through. Arrays become inputs,
    put after so many others; they are returned.
    """
    nodes = graph.graph
    for node in nodes.find_nodes(op="call_function", target=aten.detach.default):
        node.replace_all_uses_with(node.args[0])
        nodes.erase_node(node)
    last = [node for node in nodes.nodes if node.op == "placeholder"][inputs - 1]
    arrays: list[torch.Tensor] = []
    for node in nodes.find_nodes(op="call_function", target=aten.lift_fresh_copy.default):
        constant = getattr(graph, node.args[0].target)
        if constant.numel() == 1:
            with nodes.inserting_before(node):
                made = nodes.call_function(
                    aten.full.default,
                    (list(constant.shape), constant.item()),
                    {"dtype": constant.dtype, "device": constant.device},
                )
        else:
            with nodes.inserting_after(last):
                last = nodes.placeholder(f"array_{len(arrays)}")
            arrays.append(constant)
            with nodes.inserting_before(node):
                made = nodes.call_function(aten.clone.default, (last,))
        node.replace_all_uses_with(made)
        nodes.erase_node(node)
    nodes.eliminate_dead_code()
    graph.recompile()
    return arrays
