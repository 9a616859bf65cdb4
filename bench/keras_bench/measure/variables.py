"""The variables that a worker starts with: its whole environment, made from scratch."""

import os
from collections.abc import Mapping
from pathlib import Path

from keras_bench.measure.machine import usable_cores

#: Variables that choose a number of threads. A worker gets them from the thread policy alone.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
    "XLA_FLAGS",
)

#: What is the same for every worker: no GPU, and nothing of the user's that Python would import.
OWN_VARIABLES = {
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_TORCH_DEVICE": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}

#: Shorter values of variables stand in texts by chance.
SHORTEST_HIDDEN = 4

#: What a program needs from its surroundings to start at all; everything else stays outside.
INHERITED_VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


def worker_variables(
    backend: str, threads: int | None, keras_home: Path, passed: Mapping[str, str]
) -> dict[str, str]:
    """Return a worker's whole environment, made from scratch.

    Nothing of the user's shell but what a program needs to start, and what is passed on; no GPU; a
    configuration folder of its own for Keras, so that no `keras.json` of the user's changes the
    arm.
    """
    variables = {
        name: os.environ[name] for name in INHERITED_VARIABLES if os.environ.get(name) is not None
    }
    variables |= {
        **passed,
        **OWN_VARIABLES,
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(keras_home),
    }
    if threads is not None:
        for name in THREAD_VARIABLES:
            variables[name] = str(threads)
        # XLA's CPU client sizes its pool by NPROC; Eigen inside it has a switch alone.
        variables["XLA_FLAGS"] = (
            f"--xla_cpu_multi_thread_eigen={'false' if threads == 1 else 'true'}"
        )
    return variables


def thread_count(policy: str) -> int | None:
    """Return the threads per pool that a policy asks for; None leaves it to the framework."""
    return {"default": None, "single": 1}.get(policy) if not policy.isdigit() else int(policy)


def threads_each(policy: str, workers: int) -> int | None:
    """Return the threads per pool of workers that train at the same time, and aren't timed.

    The framework's own choice is all cores for each of them. The threads of one would wait for
    those of another at every operation.
    """
    return max(1, usable_cores() // workers) if policy == "default" else thread_count(policy)


def why_not_passed(name: str, shell: Mapping[str, str]) -> str:
    """Return why a variable of the user's shell isn't passed on to workers, empty if it may be."""
    if name in THREAD_VARIABLES:
        return f"{name} belongs to the thread policy; give --threads"
    if name == "KERAS_BACKEND":
        return f"{name} is each worker's own; give --backend"
    if name in OWN_VARIABLES or name.startswith(("PYTHON", "KERAS_HOME")):
        return f"keras-bench sets {name} itself; leave it out"
    return "" if name in shell else f"{name} isn't set in your shell; set it, or leave it out"


def without_values(text: str, passed: Mapping[str, str]) -> str:
    """Return a text with the names of variables in the place of their values, as in "$NAME"."""
    longest_first = sorted(passed.items(), key=lambda item: -len(item[1]))
    for name, value in longest_first:
        if len(value) >= SHORTEST_HIDDEN:
            text = text.replace(value, f"${name}")
    return text
