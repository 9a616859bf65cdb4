"""Loops: the ways to drive a Keras model's epochs, Keras's own `fit` among them.

They run where the model does, and need nothing but Keras, NumPy and the framework.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.loops.fused import fit_fused
    from bench.loops.refusals import LoopRefusal

__all__ = ["LoopRefusal", "fit_fused"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: the coordinator reads the pure modules, and has no Keras."""
    if name == "fit_fused":
        from bench.loops.fused import fit_fused

        return fit_fused
    if name == "LoopRefusal":
        from bench.loops.refusals import LoopRefusal

        return LoopRefusal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
