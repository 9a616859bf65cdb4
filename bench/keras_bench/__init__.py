"""Which Keras backend trains a model fastest on this CPU?

The public names stand here. Each is imported when it is first asked for, so that
`import keras_bench` loads no framework and nothing of the suite.
"""

from importlib import import_module

# What type checkers take for true; `typing` itself takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_bench.loops.fused import fit_fused
    from keras_bench.loops.refusals import LoopRefusal
    from keras_bench.pytest_plugin import benchmark_workloads

__all__ = ["LoopRefusal", "benchmark_workloads", "fit_fused"]

__version__ = "0.1.0"

_MODULES = {
    "LoopRefusal": "keras_bench.loops.refusals",
    "benchmark_workloads": "keras_bench.pytest_plugin",
    "fit_fused": "keras_bench.loops.fused",
}


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
