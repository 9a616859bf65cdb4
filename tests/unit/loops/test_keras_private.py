"""What comes of private parts of Keras that a release has lost or moved."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from keras_bench.loops import keras_private
from keras_bench.loops.keras_private import MissingPart

OLD, *NEW = "keras.src.backend.torch.core", *keras_private.TORCH_OPERATIONS[-1]


@pytest.fixture
def keras(monkeypatch) -> Callable[..., ModuleType]:
    """Let a release of Keras have a module, with these things in it."""

    def add(name: str, **parts: Any) -> ModuleType:
        module = ModuleType(name)
        vars(module).update(parts)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    add("keras", __version__="3.99.0", callbacks=SimpleNamespace(CallbackList=list))
    keras_private.torch_random.cache_clear()
    return add


@pytest.mark.parametrize(
    ("use", "part"),
    [
        (lambda: keras_private.split_for_validation((), 0.1), ".train_validation_split"),
        (lambda: keras_private.is_dense([]), ".can_convert_arrays"),
        (lambda: keras_private.converted([], None, None, None), ".ArrayDataAdapter"),
        (lambda: keras_private.ExampleOrder(3, True), ".EpochIterator"),
        (lambda: keras_private.layers_of(object()), "Layer._flatten_layers"),
        (lambda: keras_private.inbound_nodes(object()), "Operation._inbound_nodes"),
        (lambda: keras_private.compiled_parts(object()), "Model._compile_metrics"),
        (lambda: keras_private.build(object(), ()), "Model._symbolic_build"),
        (lambda: keras_private.loss_tracker(object()), "Model._loss_tracker"),
        (lambda: keras_private.first_epoch(object(), 0), "Model._initial_epoch"),
        (lambda: keras_private.logs_of_epoch(object()), "Model._get_metrics_result_or_logs"),
        (lambda: keras_private.withhold(object()), "Variable._value"),
        (lambda: keras_private.torch_operation("cond"), f"{NEW[0]}.cond"),
        (lambda: keras_private.torch_operations(cond=len).__enter__(), f"{NEW[0]}.cond"),
        (keras_private.torch_random, "keras.src.backend.torch.random.torch_seed_generator"),
        (lambda: keras_private.tensorflow_epochs(object()), ".TFEpochIterator"),
        (lambda: keras_private.adam_slots(object()), "Adam._momentums"),
        (lambda: keras_private.learning_rate(object()), "Optimizer._learning_rate"),
        (lambda: keras_private.traces_batches(object()), "TensorBoard._should_trace"),
    ],
)
def test_a_missing_part_is_refused_by_its_name_and_the_release(keras, use, part: str):
    with pytest.raises(MissingPart) as refused:
        use()
    assert str(refused.value).startswith("Keras 3.99.0 has no ")
    assert f"{part}, a private part" in str(refused.value)
    assert str(refused.value).endswith("; train with fit, or take another release")


@pytest.mark.parametrize("modules", [[OLD], NEW], ids=["up to 3.15", "later"])
def test_an_operation_on_torch_is_replaced_wherever_the_release_looks_it_up(keras, modules):
    made = [keras(name, cond=len) for name in modules]
    assert keras_private.torch_operation("cond") is len
    with keras_private.torch_operations(cond=sum):
        assert [module.cond for module in made] == [sum] * len(made)
    assert [module.cond for module in made] == [len] * len(made)


def test_a_release_without_asynchronous_steps_waits_for_callbacks(keras):
    assert not keras_private.goes_on_between_batches([])
