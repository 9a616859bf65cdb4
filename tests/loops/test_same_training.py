"""The loops train as `Model.fit` does, on every backend: the same losses, metrics and state."""

from typing import Any

import pytest
from trainings import CASES

pytestmark = pytest.mark.frameworks

#: How far rounding may take two trainings apart, that do the same in another order.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

#: The same where Keras isn't in both: in float64, too, it rounds some means and constants to
#: float32.
TOLERANCES_WITHOUT_KERAS = {"float64": 1e-5, "float32": 1e-3}

#: The cases that are tried as people train, too; the others say more in float64.
IN_FLOAT32 = (
    "adam_with_a_short_last_batch",
    "several_metrics",
    "channels_dropped",
    "embedding_and_gru",
    "inputs_and_outputs_by_name",
)

#: What `train_on_batch` itself does otherwise. It hands on a triple even where there are no weights.
#: On TensorFlow it knows the size of a batch, where `fit` counts each batch alike in the loss of an
#: output. On torch `fit` draws from the generator that layers without a seed draw from, too.
NOT_BY_BATCHES = {
    "jax": {"own_train_step"},
    "tensorflow": {
        "own_train_step",
        "inputs_and_outputs_by_name",
        "inputs_and_outputs_listed_with_one_weight",
        "outputs_weighted_by_name",
    },
    "torch": {
        "own_train_step",
        "dropout_unseeded",
        "embedding_and_lstm_with_dropout",
        "several_calls_an_epoch",
        "subclassed",
        "validation_data",
    },
}

#: The trainings of a plain stack of Dense layers.
STACKS = [name for name in CASES if name.startswith("stack_")]


@pytest.mark.parametrize(
    ("backend", "case"), [(backend, case) for case in CASES for backend in CASES[case].backends]
)
def test_fused_trains_as_fit_does(ask, backend: str, case: str):
    tolerance = TOLERANCES["float32" if CASES[case].float32 else "float64"]
    check(ask(backend, "float64", "fused", case), CASES[case].refused, tolerance)


@pytest.mark.parametrize("case", IN_FLOAT32)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_fused_trains_as_fit_does_in_float32(ask, backend: str, case: str):
    check(ask(backend, "float32", "fused", case), CASES[case].refused, TOLERANCES["float32"])


@pytest.mark.parametrize(
    ("backend", "case"),
    [
        (backend, case)
        for case in CASES
        for backend in CASES[case].backends
        if case not in NOT_BY_BATCHES[backend]
    ],
)
def test_train_on_batch_trains_as_fit_does(ask, backend: str, case: str):
    check(ask(backend, "float64", "batch", case), CASES[case].refused, TOLERANCES["float64"])


@pytest.mark.parametrize("floatx", TOLERANCES_WITHOUT_KERAS)
@pytest.mark.parametrize("case", STACKS)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_bare_trains_stacks_of_dense_layers_as_fit_does(ask, backend: str, case: str, floatx: str):
    check(ask(backend, floatx, "bare", case), None, TOLERANCES_WITHOUT_KERAS[floatx])


@pytest.mark.parametrize(
    "case", [case for case in CASES if case not in STACKS and "jax" in CASES[case].backends]
)
def test_bare_trains_as_fit_does_what_it_does_not_refuse(ask, case: str):
    answer = ask("jax", "float64", "bare", case)
    if answer.get("refusal") is None:
        check(answer, None, TOLERANCES_WITHOUT_KERAS["float64"])


def check(answer: dict[str, Any], refused: str | None, tolerance: float) -> None:
    if refused is not None:
        assert refused in answer["refusal"]
        assert answer["untouched"]
    else:
        assert "deviations" in answer, answer.get("error") or answer
        assert max(answer["deviations"].values()) <= tolerance, answer["deviations"]
