"""What torch's compiler took for programs before: remembered in a file beside its own cache.

The file goes where the cache goes. Nothing hangs on it but an estimate, so what can't be read or
written is left out.
"""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from keras_bench.loops.torch_trace import TracedStep, tensors_of

#: The name of the file in torch's cache.
FILE = "keras_bench_fused.json"

#: So many programs are remembered, those that were compiled last.
MOST = 1000


def program_of(step: TracedStep, batch: Any, steps: int) -> str:
    """Return a name for the loop of so many steps, by all that torch compiles it from."""
    tensors = [*step.state, *tensors_of(batch)]
    shapes = [(tuple(tensor.shape), str(tensor.dtype)) for tensor in tensors]
    parts = (torch.__version__, steps, shapes, step.changed, step.graph.code)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def remembered_seconds(program: str) -> tuple[float, bool] | None:
    """Return what a program took when it was compiled last, and whether the cache had it then."""
    entry = _read().get(program)
    return None if entry is None else (float(entry["seconds"]), bool(entry["again"]))


def remember(program: str, seconds: float) -> None:
    """Note what compiling a program took."""
    with suppress(OSError, ImportError):
        programs = _read()
        again = programs.pop(program, None) is not None
        programs[program] = {"seconds": round(seconds, 3), "again": again}
        kept = dict(list(programs.items())[-MOST:])
        folder = _folder()
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            json.dump(kept, file)
        Path(file.name).replace(folder / FILE)


def _read() -> dict[str, Any]:
    with suppress(OSError, ValueError, ImportError):
        programs = json.loads((_folder() / FILE).read_text(encoding="utf-8"))
        if isinstance(programs, dict):
            return programs
    return {}


def _folder() -> Path:
    """Return torch's cache on disk."""
    folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if folder is None:
        from torch._inductor.runtime.cache_dir_utils import default_cache_dir

        folder = default_cache_dir()
    return Path(folder)
