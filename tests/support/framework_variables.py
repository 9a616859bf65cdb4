"""The variables of a process in a framework's environment that a test starts itself."""

from pathlib import Path

#: Torch's threads wait for each other by spinning: beside another test on the same cores, two of
#: them make an epoch many times as long.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def framework_variables(backend: str, keras_home: Path, **more: str) -> dict[str, str]:
    """Return all of them: Keras's backend and configuration, one thread, and what is added."""
    return {
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(keras_home),
        "PATH": "",
        **ONE_THREAD,
        **more,
    }
