import sys

import pytest

from keras_bench.environments.interpreters import probe
from keras_bench.errors import BackendError


def test_an_interpreter_is_asked_for_versions_without_importing_them():
    interpreter = probe({"jax": sys.executable})["jax"]
    assert interpreter.environment.python_version == ".".join(map(str, sys.version_info[:3]))
    assert interpreter.environment.version_of("numpy") is not None


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true", "/bin/false", "/"])
def test_what_is_no_interpreter_is_refused_by_name(python: str):
    with pytest.raises(BackendError, match=f"^{python}: ") as caught:
        probe({"jax": python})
    assert "\n" not in str(caught.value)
