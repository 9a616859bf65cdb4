"""TensorFlow's random numbers, drawn so that XLA makes the same of the same seed.

XLA and TensorFlow draw the same bits, but not the same floats: TensorFlow keeps the low bits for
a mantissa and XLA the high ones. Here floats are made of the bits as TensorFlow's kernels do it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from math import pi
from typing import Any
from unittest.mock import patch

import tensorflow as tf
from tensorflow.python.ops import gen_stateless_random_ops_v2 as kernels

#: Of a float: the integer as wide, how many bits its mantissa has, and its 1.
LAYOUTS = {tf.float32: (tf.uint32, 23, 0x3F800000), tf.float64: (tf.uint64, 52, 0x3FF << 52)}


def same_draws() -> AbstractContextManager[Any]:
    """What is traced inside draws the same numbers with XLA as without it, where that is known."""
    return patch.multiple(
        kernels,
        stateless_random_uniform_v2=_where_known(_uniform, kernels.stateless_random_uniform_v2),
        stateless_random_normal_v2=_where_known(_normal, kernels.stateless_random_normal_v2),
    )


def _where_known(draw: Callable[..., Any], kernel: Callable[..., Any]) -> Callable[..., Any]:
    def drawn(shape: Any, key: Any, counter: Any, alg: Any, dtype: Any, name: Any = None) -> Any:
        if dtype in LAYOUTS:
            return draw(shape, key, counter, alg, dtype)
        return kernel(shape, key, counter, alg, dtype, name)

    return drawn


def _uniform(shape: Any, key: Any, counter: Any, alg: Any, dtype: Any) -> Any:
    """Return floats in [0, 1): the mantissas of floats in [1, 2)."""
    integer, mantissa_bits, one = LAYOUTS[dtype]
    bits = kernels.stateless_random_uniform_full_int_v2(shape, key, counter, alg, integer)
    if dtype == tf.float64:
        # The kernel takes the halves the other way round.
        bits = tf.bitwise.left_shift(bits, tf.constant(32, integer)) | tf.bitwise.right_shift(
            bits, tf.constant(32, integer)
        )
    bits = bits & tf.constant(2**mantissa_bits - 1, integer)
    return tf.bitcast(bits | tf.constant(one, integer), dtype) - 1


def _normal(shape: Any, key: Any, counter: Any, alg: Any, dtype: Any) -> Any:
    """Return normally distributed floats, by Box and Muller's method: two of two uniform ones."""
    count = tf.reduce_prod(shape)
    pairs = tf.reshape(_uniform([(count + 1) // 2 * 2], key, counter, alg, dtype), [-1, 2])
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(pairs[:, 0], 1e-7)))
    angle = 2 * pi * pairs[:, 1]
    normal = tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], axis=1)
    return tf.reshape(tf.reshape(normal, [-1])[:count], shape)
