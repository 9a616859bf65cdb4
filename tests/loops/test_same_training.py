"""The loops train as `Model.fit` does, on every backend: the same losses, metrics and state."""

from typing import Any

import pytest
from trainings import CASES

pytestmark = pytest.mark.frameworks

#: How far rounding may take two trainings apart, that do the same in another order.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

#: The cases that are tried as people train, too; the others say more in float64.
IN_FLOAT32 = (
    "adam_with_a_short_last_batch",
    "several_metrics",
    "channels_dropped",
    "embedding_and_gru",
    "inputs_and_outputs_by_name",
)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_fused_trains_as_fit_does(ask, backend: str, case: str):
    check(ask(backend, "float64", "fused", case), CASES[case].refused, TOLERANCES["float64"])


@pytest.mark.parametrize("case", IN_FLOAT32)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_fused_trains_as_fit_does_in_float32(ask, backend: str, case: str):
    check(ask(backend, "float32", "fused", case), CASES[case].refused, TOLERANCES["float32"])


def check(answer: dict[str, Any], refused: str | None, tolerance: float) -> None:
    if refused is not None:
        assert refused in answer["refusal"]
        assert answer["untouched"]
    else:
        assert "deviations" in answer, answer.get("error") or answer
        assert max(answer["deviations"].values()) <= tolerance, answer["deviations"]
