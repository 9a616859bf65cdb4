"""Which errors of a user's code say that it isn't for this backend, and what helps."""

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
            "build() raises ModuleNotFoundError: no module of_no_such_kind in its environment",
        ),
        ("1 / 0", "workload", "build() raises ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_is_told_by_what_the_code_itself_raised(code: str, kind: str, message: str):
    found = refusal("build() raises", raised(code))
    assert (found.kind, str(found)) == (kind, message)


def raised_in(module, error):
    """Return the error, raised by code of this module."""
    inner = {"__builtins__": builtins, "__name__": module, "error": error}
    exec("def call(): raise error", inner)
    try:
        inner["call"]()
    except Exception as caught:
        return caught
    raise AssertionError(module)


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
    found = refusal("build() raises", raised_in(module, NotImplementedError("no call()")))
    said = "no call()"
    if kind == "workload":
        said = f"build() raises NotImplementedError: {said}"
    assert (found.kind, str(found), found.remedy) == (kind, said, "")


@pytest.mark.parametrize(
    ("module", "error", "raiser"),
    [
        ("mine", RuntimeError(), ""),
        ("pandas.io", RuntimeError(), ""),
        ("torch.nn.functional", RuntimeError(), "torch"),
        ("jaxlib.xla", ValueError(), "jax"),
        ("keras.src.backend.torch.nn", ValueError(), "Keras on torch"),
        ("keras.src.trainers.trainer", AttributeError(), "Keras"),
        # This is how Keras says that it is used wrongly.
        ("keras.src.layers.layer", ValueError(), ""),
        ("keras.src.utils.traceback_utils", TypeError(), ""),
    ],
)
def test_what_a_framework_raises_for_itself_is_no_fault_of_the_file(module, error, raiser: str):
    found = refusal("training raises", raised_in(module, error))
    itself = f"{raiser} itself raises it (--debug shows the traceback)"
    expected = ("framework", itself) if raiser else ("workload", "")
    assert (found.kind, found.remedy) == expected


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("torch.nn.functional", IndexError("index out of range in self")),
        (
            "tensorflow.python",
            type("InvalidArgumentError", (Exception,), {})("30 is not in [0, 30)"),
        ),
    ],
)
def test_data_that_a_framework_finds_a_fault_in_are_the_files(module: str, error: Exception):
    found = refusal("training raises", raised_in(module, error))
    assert (found.kind, bool(found.remedy)) == ("workload", True)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("import of_no_such_kind", "add `--with of_no_such_kind`, or install it there"),
        ("import sklearn_of_none.linear", "add `--with sklearn_of_none`, or install it there"),
        # A part that a package lacks comes of no other package.
        ("import json.of_no_such_kind", ""),
        ("import pytest.of_no_such_kind", ""),
        ("raise ModuleNotFoundError('by hand')", ""),
        ("import os; os.environ['OF_NO_SUCH_KIND']", "add `--pass-env OF_NO_SUCH_KIND`"),
        ("{}['OF_NO_SUCH_KIND']", ""),
    ],
)
def test_what_a_worker_lacks_is_named_with_the_option_that_brings_it(code: str, remedy: str):
    assert refusal("build() raises", raised(code)).remedy == remedy


def test_a_module_may_come_from_a_package_of_another_name(monkeypatch):
    monkeypatch.setattr("keras_bench.worker.refusals.find_spec", lambda name: None)
    error = raised("raise ModuleNotFoundError('No module named cv2', name='cv2')")
    assert refusal("raises", error).remedy.startswith("add `--with opencv-python-headless`")


def test_a_part_that_this_backends_own_framework_lacks_is_a_fault(monkeypatch):
    error = raised("raise ModuleNotFoundError('No module named torch.odd', name='torch.odd')")
    assert refusal("raises", error).kind == "unsupported"
    monkeypatch.setitem(sys.modules, "torch", builtins)
    found = refusal("raises", error)
    assert (found.kind, found.remedy) == ("workload", "")
