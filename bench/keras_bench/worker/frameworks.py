"""Imports Keras on one backend, with the threads asked for, and reads them back."""

import importlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

from keras_bench.worker.protocol import (
    ComparedRequest,
    LoopParityRequest,
    Refusal,
    Request,
    one_line,
)


def import_keras(request: Request) -> Any:
    """Return the module keras on the request's backend, in the precision that parity asks for.

    Raises:
        Refusal: the framework or Keras is missing or broken, or Keras is on another backend.
    """
    backend = request.backend
    dtype = request.dtype if isinstance(request, ComparedRequest) else None
    try:
        framework = importlib.import_module(backend)
        if backend == "jax" and dtype == "float64":
            framework.config.update("jax_enable_x64", True)  # Without it, JAX has no float64.
        if backend == "jax" and isinstance(request, ComparedRequest | LoopParityRequest):
            _keep_compiled(framework, Path(request.folder) / "compiled-by-jax")
        if request.threads is not None:
            _limit_threads(framework, backend, request.threads)
        keras = importlib.import_module("keras")
    except ModuleNotFoundError as error:
        raise Refusal("backend", f"has no module named {error.name}") from error
    except Exception as error:
        raise Refusal("backend", f"breaks at import with {one_line(error)}") from error
    found = keras.backend.backend()
    if found != backend:
        raise Refusal("backend", f"Keras came up with the {found} backend")
    # A traceback without Keras's own frames doesn't tell a fault of the user's from a refusal.
    keras.config.disable_traceback_filtering()
    if dtype is not None:
        keras.config.set_floatx(dtype)
    return keras


def _keep_compiled(jax: Any, folder: Path) -> None:
    """Let JAX keep compiled programs: what is compared is trained again, in other processes too."""
    if jax.config.jax_compilation_cache_dir is not None:
        return  # The user has JAX keep them already.
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _limit_threads(framework: Any, backend: str, threads: int) -> None:
    """Set the pools that can't be set by an environment variable."""
    if backend == "torch":
        framework.set_num_threads(threads)
        framework.set_num_interop_threads(threads)
    elif backend == "tensorflow":
        framework.config.threading.set_intra_op_parallelism_threads(threads)
        framework.config.threading.set_inter_op_parallelism_threads(threads)
    elif backend == "openvino":
        # Keras compiles by this function, and gives it no settings for `predict`.
        framework.compile_model = partial(
            framework.compile_model, config={"INFERENCE_NUM_THREADS": threads}
        )


def computing_precision(backend: str) -> str:
    """Return the precision that a backend computes float32 in, where nobody asks for another.

    OpenVINO takes bfloat16 on processors that have it.
    """
    if backend != "openvino":
        return "float32"
    hint = sys.modules[backend].Core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    return {"bf16": "bfloat16", "f16": "float16"}.get(hint.get_type_name(), "float32")


def pool_threads(backend: str) -> tuple[int | None, int | None]:
    """Return the threads within and between operations, as the framework itself tells them.

    TensorFlow answers 0 for "as many as there are cores"; the others don't tell.
    """
    framework = sys.modules[backend]
    if backend == "torch":
        return framework.get_num_threads(), framework.get_num_interop_threads()
    if backend == "tensorflow":
        pools = framework.config.threading
        return pools.get_intra_op_parallelism_threads(), pools.get_inter_op_parallelism_threads()
    return None, None
