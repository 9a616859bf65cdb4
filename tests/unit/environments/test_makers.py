"""What an installer's output comes to."""

from keras_bench.environments.makers import reason_of


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
