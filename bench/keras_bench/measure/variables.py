"""The variables that a worker starts with: its whole environment, made from scratch."""

import os
from pathlib import Path

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


def worker_variables(backend: str, threads: int | None, keras_home: Path) -> dict[str, str]:
    """Return a worker's whole environment, made from scratch.

    Nothing of the user's shell but what a program needs to start; no GPU; a configuration
    folder of its own for Keras, so that no `keras.json` of the user's changes the arm.
    """
    variables = {
        name: os.environ[name] for name in INHERITED_VARIABLES if os.environ.get(name) is not None
    }
    variables |= {
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(keras_home),
        "PYTHONNOUSERSITE": "1",
        "PYTHONSAFEPATH": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
        "KERAS_TORCH_DEVICE": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "2",
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
