"""TensorFlow's random numbers, drawn so that XLA makes the same of the same seed, and quickly.

XLA and TensorFlow draw the same bits, but not the same floats: TensorFlow keeps the low bits for
a mantissa and XLA the high ones. Here floats are made of the bits as TensorFlow's kernels do it.

The bits are drawn here, too, by the same generator, Philox. XLA's own writes its ten rounds out
one after the other and puts them into one fusion. There each number of a round is computed again
wherever it is used, and so twice as often with every round.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from math import pi
from typing import Any
from unittest.mock import patch

import tensorflow as tf
from tensorflow.python.ops import gen_stateless_random_ops_v2 as kernels

#: Of a float: the integer as wide, how many bits its mantissa has, and its 1.
LAYOUTS = {tf.float32: (tf.uint32, 23, 0x3F800000), tf.float64: (tf.uint64, 52, 0x3FF << 52)}

#: The generator, by the number that TensorFlow gives it: Philox, or what is best on the device,
#: which is Philox on a CPU.
PHILOX = (1, 3)

#: Of Philox 4x32 (J. Salmon and others, SC 2011): the factors by the place of the number that they
#: multiply, what each round adds to the key, and the number of rounds.
FACTORS = {0: 0xD2511F53, 2: 0xCD9E8D57}
ADDED_TO_KEY = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

#: The key by which TensorFlow mixes a seed.
KEY_OF_SEEDS = (0x3EC8F720, 0x02461E29)


def same_draws() -> AbstractContextManager[Any]:
    """What is traced inside draws the same numbers with XLA as without it, where that is known."""
    return patch.multiple(
        kernels,
        stateless_random_get_key_counter=_key_and_counter,
        stateless_random_uniform_v2=_where_known(_uniform, kernels.stateless_random_uniform_v2),
        stateless_random_normal_v2=_where_known(_normal, kernels.stateless_random_normal_v2),
    )


def _where_known(draw: Callable[..., Any], kernel: Callable[..., Any]) -> Callable[..., Any]:
    def drawn(shape: Any, key: Any, counter: Any, alg: Any, dtype: Any, name: Any = None) -> Any:
        if dtype in LAYOUTS and tf.get_static_value(alg) in PHILOX:
            return draw(shape, key, counter, dtype)
        return kernel(shape, key, counter, alg, dtype, name)

    return drawn


def _key_and_counter(seed: Any, name: Any = None) -> tuple[Any, Any]:
    """Return where the numbers of a seed begin: the seed's own four numbers, mixed."""
    parts = [_halves(part) for part in tf.unstack(tf.cast(tf.cast(seed, tf.int64), tf.uint64))]
    key = tf.unstack(tf.constant(KEY_OF_SEEDS, tf.uint32))
    mixed = tf.cast(tf.stack(_philox((*parts[0], *parts[1]), key)), tf.uint64)
    key, counter = mixed[0] | _shifted(mixed[1]), mixed[2] | _shifted(mixed[3])
    return key[None], tf.stack([tf.zeros_like(counter), counter])


def _uniform(shape: Any, key: Any, counter: Any, dtype: Any) -> Any:
    """Return floats in [0, 1): the mantissas of floats in [1, 2)."""
    integer, mantissa_bits, one = LAYOUTS[dtype]
    bits = _bits(tf.reduce_prod(shape) * (dtype.size // 4), key, counter)
    if dtype == tf.float64:
        high, low = tf.unstack(tf.cast(tf.reshape(bits, [-1, 2]), integer), axis=1)
        bits = _shifted(high) | low
    bits = bits & tf.constant(2**mantissa_bits - 1, integer)
    return tf.reshape(tf.bitcast(bits | tf.constant(one, integer), dtype) - 1, shape)


def _normal(shape: Any, key: Any, counter: Any, dtype: Any) -> Any:
    """Return normally distributed floats, by Box and Muller's method: two of two uniform ones."""
    count = tf.reduce_prod(shape)
    pairs = tf.reshape(_uniform([(count + 1) // 2 * 2], key, counter, dtype), [-1, 2])
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(pairs[:, 0], 1e-7)))
    angle = 2 * pi * pairs[:, 1]
    normal = tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], axis=1)
    return tf.reshape(tf.reshape(normal, [-1])[:count], shape)


def _bits(count: Any, key: Any, counter: Any) -> Any:
    """Return so many numbers of 32 random bits: four of each number from the counter on."""
    numbers = tf.cast(tf.range(tf.cast((count + 3) // 4, tf.int64)), tf.uint64)
    low = counter[0] + numbers
    high = counter[1] + tf.cast(low < numbers, tf.uint64)
    blocks = _philox((*_halves(low), *_halves(high)), _halves(key[0]))
    return tf.reshape(tf.stack(blocks, axis=1), [-1])[:count]


def _philox(counters: Sequence[Any], key: Sequence[Any]) -> Any:
    """Return four random numbers of 32 bits for each counter, which is four such numbers, too."""

    def mixed(done: Any, key: Any, block: Any) -> Any:
        (low_0, high_0), (low_2, high_2) = (
            _halves(tf.cast(block[place], tf.uint64) * tf.constant(factor, tf.uint64))
            for place, factor in FACTORS.items()
        )
        block = (high_2 ^ block[1] ^ key[0], low_2, high_0 ^ block[3] ^ key[1], low_0)
        return done + 1, tuple(map(tf.add, key, ADDED_TO_KEY)), block

    # A loop, for no fusion reaches from one round into the next.
    return tf.while_loop(lambda done, *_: done < ROUNDS, mixed, (0, tuple(key), tuple(counters)))[2]


def _halves(numbers: Any) -> tuple[Any, Any]:
    """Return the low and the high half of numbers of 64 bits."""
    low = numbers & tf.constant(2**32 - 1, tf.uint64)
    high = tf.bitwise.right_shift(numbers, tf.constant(32, tf.uint64))
    return tf.cast(low, tf.uint32), tf.cast(high, tf.uint32)


def _shifted(numbers: Any) -> Any:
    """Return numbers of 64 bits with their low half as the high one."""
    return tf.bitwise.left_shift(numbers, tf.constant(32, tf.uint64))
