"""What an installer's output comes to, and what its configuration says."""

import os

import pytest

from keras_bench.environments.makers import UV_INDEXES, brings_cuda, reason_of
from keras_bench.environments.recipes import Recipe


@pytest.mark.parametrize(
    ("variable", "address", "brings"),
    [
        ("PIP_EXTRA_INDEX_URL", "https://127.0.0.1/cpu", False),
        # As a workflow sets it where its repository has no such variable.
        ("PIP_EXTRA_INDEX_URL", "", True),
        ("UV_INDEX", "https://127.0.0.1/cpu", False),
        ("UV_INDEX", "", True),
    ],
)
def test_torch_brings_cuda_unless_an_index_is_named(
    monkeypatch, variable: str, address: str, brings: bool
):
    monkeypatch.setattr("keras_bench.environments.makers.sys.platform", "linux")
    monkeypatch.setattr("keras_bench.environments.makers._uv", lambda: False)
    for name in [name for name in os.environ if name.startswith("PIP_") or name in UV_INDEXES]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv(variable, address)
    assert brings_cuda(Recipe("torch", ("torch",), (), "3.11.7")) == brings


def test_the_reason_is_one_line_of_many():
    pip = """
Collecting keras==99
ERROR: Could not find a version that satisfies keras==99 (from versions: 1.0, 3.14.1, 3.15.1)
ERROR: No matching distribution found for keras==99
"""
    assert reason_of(pip) == (
        "Could not find a version that satisfies keras==99 (the newest is 3.15.1);"
        " No matching distribution found for keras==99"
    )
    conflict = """
The conflict is caused by:
    The user requested numpy<2
    jax 0.10 depends on numpy>=2
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io
"""
    assert reason_of(conflict) == "jax 0.10 depends on numpy>=2"
    build = """
  Traceback (most recent call last):
  ImportError: no Cython
  error: subprocess-exited-with-error

  × Preparing metadata (pyproject.toml) did not run successfully.
"""
    assert reason_of(build) == "its build fails with ImportError: no Cython"
    assert reason_of("") == "the installer failed"
