"""Which errors of a user's code say that it isn't for this backend."""

import builtins
import sys

import pytest

from keras_bench.worker.refusals import refusal


def raised(code):
    """Return the error that this code raises."""
    try:
        exec(code, {"__builtins__": builtins})
    except Exception as error:
        return error
    raise AssertionError(code)


WRAPPED = """
try:
    raise NotImplementedError("for jax alone")
except NotImplementedError:
    raise RuntimeError("Unable to automatically build the model. Please build it yourself")
"""

HANDLED = """
try:
    raise NotImplementedError("tried in vain")
except NotImplementedError:
    raise ValueError("the real one")
"""

LAZY = """
try:
    import torch.of_no_such_kind
except ImportError:
    raise ImportError("This requires the torch module")
"""


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("raise NotImplementedError('for jax alone')", "unsupported", "for jax alone"),
        ("raise NotImplementedError", "unsupported", "build() raises NotImplementedError"),
        ("import torch.of_no_such_kind", "unsupported", "it needs torch"),
        (LAZY, "unsupported", "it needs torch"),
        (WRAPPED, "unsupported", "for jax alone"),
        (HANDLED, "workload", "build() raises ValueError: the real one"),
        (
            "import of_no_such_kind",
            "workload",
            "build() raises ModuleNotFoundError: No module named 'of_no_such_kind'",
        ),
        ("1 / 0", "workload", "build() raises ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_is_told_by_what_the_code_itself_raised(code: str, kind: str, message: str):
    found = refusal("build() raises", raised(code))
    assert (found.kind, str(found)) == (kind, message)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("mine", "unsupported"),
        ("keras_of_others.layers", "unsupported"),
        ("jax.lax", "unsupported"),
        ("keras.src.backend.openvino.numpy", "unsupported"),
        ("keras.src.backend.common.variables", "workload"),
        ("keras.src.layers.layer", "workload"),
        ("keras", "workload"),
    ],
)
def test_what_keras_wants_to_be_written_is_a_fault(module: str, kind: str):
    inner = {"__builtins__": builtins, "__name__": module}
    exec("def call(): raise NotImplementedError('no call()')", inner)
    try:
        inner["call"]()
    except NotImplementedError as error:
        found = refusal("build() raises", error)
    said = "no call()"
    if kind == "workload":
        said = f"build() raises NotImplementedError: {said}"
    assert (found.kind, str(found)) == (kind, said)


def test_a_part_that_this_backends_own_framework_lacks_is_a_fault(monkeypatch):
    error = raised("raise ModuleNotFoundError('No module named torch.odd', name='torch.odd')")
    assert refusal("raises", error).kind == "unsupported"
    monkeypatch.setitem(sys.modules, "torch", builtins)
    assert refusal("raises", error).kind == "workload"
