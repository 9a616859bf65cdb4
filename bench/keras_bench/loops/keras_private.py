"""The private parts of Keras that the suite needs, all of them, each with what it is needed for.

Any release may move or lose them. A part that moved is looked for wherever a release has it. Where
a part is gone, what needs it is refused by a `MissingPart` that names the release: no file of a
user's is at fault, and `fit` trains still. Keras is imported when a part is asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch

from keras_bench.loops.refusals import LoopRefusal

#: Where Keras on torch looks up its operations: in a release up to 3.15, and in a later one.
TORCH_OPERATIONS = (
    ("keras.src.backend.torch.core",),
    ("keras.src.backend.torch.ops.core", "keras.src.backend.torch.ops"),
)


class MissingPart(LoopRefusal):
    """This release of Keras lacks a private part; the message names both.

    Attributes:
        reason: the message without what to do
    """

    def __init__(self, part: str) -> None:
        version = import_module("keras").__version__
        self.reason = f"Keras {version} has no {part}, a private part that is needed here"
        super().__init__(f"{self.reason}; train with fit, or take another release")


# --- the data


def split_for_validation(data: Any, share: float) -> tuple[Any, Any]:
    """Return x, y and weights to train with, and those to validate with, cut as `fit` does it."""
    split = _part("keras.src.trainers.data_adapters.array_slicing", "train_validation_split")
    return split(data, validation_split=share)  # type: ignore[no-any-return]


def is_dense(array: Any) -> bool:
    """Tell whether it is an array of numbers that Keras takes, neither sparse nor ragged."""
    adapters = "keras.src.trainers.data_adapters"
    can_convert = _part(f"{adapters}.array_data_adapter", "can_convert_arrays")
    others = (
        "is_tensorflow_ragged", "is_tensorflow_sparse", "is_jax_sparse", "is_scipy_sparse",
    )  # fmt: skip
    tests = [_part(f"{adapters}.data_adapter_utils", name) for name in others]
    return can_convert(array) and not any(test(array) for test in tests)


def converted(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """Return all examples as one batch, as `fit` would feed it; None where there are none."""
    kind = _part("keras.src.trainers.data_adapters.array_data_adapter", "ArrayDataAdapter")
    adapter = kind(x, y, sample_weight=sample_weight, class_weight=class_weight, batch_size=2**62)
    return next(adapter.get_numpy_iterator(), None)


class ExampleOrder:
    """The order in which `fit` takes the examples of arrays on JAX, epoch by epoch.

    Some releases draw it from NumPy's random numbers, and others from the number of the epoch. So
    Keras's own iterator is asked, which goes through the numbers of the examples.
    """

    def __init__(self, examples: int, shuffle: bool) -> None:
        # Its import would be missing from what a worker times of Keras's.
        import numpy as np

        kind = _part("keras.src.trainers.epoch_iterator", "EpochIterator")
        # One batch: the order is that of all examples, whatever the size of a batch.
        self._epochs = kind(np.arange(examples), batch_size=examples, shuffle=shuffle)

    def look_at_a_batch(self) -> None:
        """Draw what `fit` draws where it looks at a batch to build the model."""
        next(iter(self._epochs.data_adapter.get_numpy_iterator()))

    def begin(self) -> None:
        """Come to the first epoch."""
        self._epochs.reset()

    def of_next_epoch(self) -> Any:
        """Return the numbers of the examples in the order of the next epoch."""
        # What comes with a batch, beside it, has changed between releases.
        ((*_, (numbers,)),) = self._epochs
        return numbers


# --- the model


def layers_of(model: Any) -> list[Any]:
    """Return a model and all layers in it, those in layers too."""
    return list(_of(model, "Layer._flatten_layers")())


def own_variables(layer: Any) -> list[Any]:
    """Return the variables that a layer has made itself, and none of the layers in it."""
    trainable = _of(layer, "Layer._trainable_variables")
    return [*trainable, *_of(layer, "Layer._non_trainable_variables")]


def seed_generators(layer: Any) -> list[Any]:
    """Return what a layer itself draws random numbers by."""
    return list(_of(layer, "Layer._seed_generators"))


def added_losses(layer: Any) -> list[Any]:
    """Return the losses that a layer has added in its last call."""
    return list(_of(layer, "Layer._losses"))


def inbound_nodes(layer: Any) -> list[Any]:
    """Return the calls of a layer in functional models, which hold what went in."""
    return list(_of(layer, "Operation._inbound_nodes"))


def compiled_parts(model: Any) -> list[Any]:
    """Return what `compile` has made to be built later: the metrics and the loss, where given."""
    parts = (_of(model, "Model._compile_metrics"), _of(model, "Model._compile_loss"))
    return [part for part in parts if part is not None]


def loss_weights(model: Any) -> Any:
    """Return by how much each loss of a model counts, None where `compile` was told nothing."""
    loss = _of(model, "Model._compile_loss")
    return None if loss is None else _of(loss, "CompileLoss._user_loss_weights")


def build(model: Any, batch: Any) -> None:
    """Make the variables of a model, its optimizer, loss and metrics for such a batch."""
    _of(model, "Model._symbolic_build")(data_batch=batch)


def loss_tracker(model: Any) -> Any:
    """Return the metric that means the loss; every compilation makes another one."""
    return _of(model, "Model._loss_tracker")


def first_epoch(model: Any, initial_epoch: int) -> int:
    """Return with which epoch to begin: a callback may have restored one that was broken off."""
    return _of(model, "Model._initial_epoch") or initial_epoch


@contextmanager
def beginning_with(model: Any, epoch: int) -> Iterator[None]:
    """Let `fit` and the loops begin with an epoch, whichever a callback has restored before."""
    restored = _of(model, "Model._initial_epoch")
    model._initial_epoch = epoch
    try:
        yield
    finally:
        model._initial_epoch = restored


def logs_of_epoch(model: Any) -> Callable[[Any], Any]:
    """Return what makes an epoch's logs of its last step's: these, or the metrics by name."""
    return _of(model, "Model._get_metrics_result_or_logs")  # type: ignore[no-any-return]


def was_distributed(model: Any) -> bool:
    """Tell whether a model was made under a strategy; models of one backend alone can be."""
    return getattr(model, "_distribute_strategy", None) is not None


# --- what a backend does


def prepare_sharding(model: Any) -> None:
    """Note how a model lies on devices, which the step of an older release on JAX looks at."""
    prepare = getattr(model, "_record_training_state_sharding_spec", None)
    if prepare is not None:
        prepare()


def withhold(variable: Any) -> None:
    """Take the value out of a variable on JAX, so that a step can't compile it in unseen.

    It is given another by `variable.assign`, as `fit` does it.
    """
    _of(variable, "Variable._value")
    variable._value = None


def torch_operation(name: str) -> Callable[..., Any]:
    """Return the function by which Keras on torch does an operation."""
    return _torch_operation(name)[1]


@contextmanager
def torch_operations(**others: Callable[..., Any]) -> Iterator[None]:
    """Let Keras on torch do operations by others, which are given by their names."""
    with ExitStack() as stack:
        for name, other in others.items():
            modules, _ = _torch_operation(name)
            for module in modules:
                stack.enter_context(patch.object(module, name, other))
        yield


@cache
def torch_random() -> ModuleType:
    """Return the module in which Keras on torch makes generators from the seeds that it draws."""
    name = "keras.src.backend.torch.random"
    for part in ("torch_seed_generator", "draw_seed"):
        _part(name, part)
    return import_module(name)


def tensorflow_epochs(model: Any, **settings: Any) -> Any:
    """Return what gives the batches of an epoch to the compiled step of `fit` on TensorFlow.

    It has `_get_iterator`, for the batches, and `reset`, for the next epoch.
    """
    kind = _part("keras.src.backend.tensorflow.trainer", "TFEpochIterator")
    epochs = kind(distribute_strategy=model.distribute_strategy, **settings)
    _of(epochs, "TFEpochIterator._get_iterator")
    return epochs


# --- optimizers and callbacks


def adam_slots(optimizer: Any) -> tuple[Any, Any]:
    """Return the momentums and the velocities that Adam keeps of the weights."""
    return _of(optimizer, "Adam._momentums"), _of(optimizer, "Adam._velocities")


def learning_rate(optimizer: Any) -> Any:
    """Return the variable that holds an optimizer's learning rate."""
    return _of(optimizer, "Optimizer._learning_rate")


def traces_batches(callback: Any) -> bool:
    """Tell whether a TensorBoard callback is to profile some batches."""
    return bool(_of(callback, "TensorBoard._should_trace"))


def goes_on_between_batches(callbacks: list[Any]) -> bool:
    """Tell whether `fit` goes on to the next batch while these callbacks hear of the one before.

    Without the part it is told no: a release that has none waits always.
    """
    callback_list = import_module("keras").callbacks.CallbackList(callbacks)
    return bool(getattr(callback_list, "_async_train", False))


def _part(module: str, name: str) -> Any:
    """Return what a module of Keras's holds."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise MissingPart(f"{module}.{name}") from None


def _of(thing: Any, part: str) -> Any:
    """Return an attribute of a thing of Keras's, named with the class that has it."""
    try:
        return getattr(thing, part.rpartition(".")[2])
    except AttributeError:
        raise MissingPart(part) from None


def _torch_operation(name: str) -> tuple[list[ModuleType], Callable[..., Any]]:
    """Return the modules where an operation is looked up in this release, and the operation."""
    for places in TORCH_OPERATIONS:
        with suppress(ImportError, AttributeError):
            modules = [import_module(place) for place in places]
            functions = [getattr(module, name) for module in modules]
            return modules, functions[0]
    raise MissingPart(f"{TORCH_OPERATIONS[-1][0]}.{name}")
