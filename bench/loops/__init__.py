"""Loops: the ways to drive a Keras model's epochs, Keras's own `fit` among them.

They run where the model does, and need nothing but Keras, NumPy and the framework.
"""

from bench.loops.bare import fit_bare
from bench.loops.batch import fit_batch
from bench.loops.fused import fit_fused
from bench.loops.refusals import LoopRefusal

__all__ = ["LoopRefusal", "fit_bare", "fit_batch", "fit_fused"]
