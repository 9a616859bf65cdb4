"""A stack of Dense layers in TensorFlow: an epoch is one loop of hand-written steps under XLA."""

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from keras_bench.loops.bare.network import Adam, Network, arrays_of, network_of, variables_of

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "linear": tf.identity,
    "softmax": tf.nn.softmax,
}


class BareSteps:
    """Trains on batches in one call."""

    def __init__(self, model: Any) -> None:
        self._network = network_of(model)
        self._variables = variables_of(model)
        self._program = tf.function(self._loop, jit_compile=True)

    def train(self, batches: Any) -> None:
        x, y = arrays_of(self._network, batches)
        self._program(tf.constant(x), tf.constant(y))

    def logs(self) -> dict[str, float]:
        return self._variables.logs()

    def _loop(self, x: Any, y: Any) -> None:
        """Train on every batch, and leave what it changes in the variables."""
        network, variables = self._network, self._variables
        learning_rate = variables.learning_rate.value
        iterations = variables.iterations.value
        steps, batch_size = x.shape[:2]

        def step(number: Any, weights: Any, slots: Any, loss: Any, hits: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(weights)
                value, right = _loss(network, weights, x[number], y[number])
            gradients = tape.gradient(value, weights)
            weights, slots = _update(
                network,
                weights,
                slots,
                gradients,
                learning_rate,
                tf.cast(tf.cast(iterations, "int32") + number + 1, network.floatx),
            )
            return number + 1, weights, slots, loss + value, hits + right

        zero = tf.zeros((), network.floatx)
        weights = tuple(each.value.read_value() for each in variables.weights)
        slots = tuple(tuple(each.value.read_value() for each in group) for group in variables.slots)
        _, weights, slots, loss, hits = tf.while_loop(
            lambda number, *_: number < steps, step, (0, weights, slots, zero, zero)
        )
        groups = ((variables.weights, weights), *zip(variables.slots, slots, strict=True))
        for group, values in groups:
            for variable, value in zip(group, values, strict=True):
                variable.value.assign(value)
        iterations.assign_add(steps)
        sums = (loss * batch_size, steps * batch_size, hits, steps * batch_size)
        for metric, each in zip(variables.metrics, sums, strict=False):
            metric.value.assign_add(tf.cast(each, metric.dtype))


def _loss(network: Network, weights: Any, x: Any, y: Any) -> Any:
    """Return the mean loss of a batch, and how many of its examples are right.

    On TensorFlow, Keras takes a cross-entropy from what goes into its softmax or sigmoid.
    """
    outputs = x
    for kernel, bias, name in zip(weights[::2], weights[1::2], network.activations, strict=True):
        inputs = outputs @ kernel + bias
        outputs = ACTIVATIONS[name](inputs)
    if network.has_classes:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, inputs)
        right = tf.argmax(outputs, 1) == y
    else:
        if network.loss == "binary_crossentropy":
            loss = tf.nn.sigmoid_cross_entropy_with_logits(y, inputs)
        else:
            loss = tf.square(outputs - y)
        right = tf.cast(outputs > 0.5, y.dtype) == y
    hits = tf.cast(right, network.floatx)
    if not network.has_classes:
        hits = tf.reduce_mean(hits, 1)
    return tf.reduce_mean(loss), tf.reduce_sum(hits)


def _update(
    network: Network, weights: Any, slots: Any, gradients: Any, learning_rate: Any, number: Any
) -> Any:
    """Return the weights and slots after a step of this number, counted from 1."""
    optimizer = network.optimizer
    if isinstance(optimizer, Adam):
        root = tf.sqrt(1 - tf.pow(tf.cast(optimizer.beta_2, number.dtype), number))
        corrected = 1 - tf.pow(tf.cast(optimizer.beta_1, number.dtype), number)
        by_adam = partial(
            _by_adam, optimizer, tf.cast(learning_rate, number.dtype) * root / corrected
        )
        weights, *slots = zip(*map(by_adam, weights, *slots, gradients), strict=True)
        return weights, tuple(slots)
    changes = tuple(-learning_rate * gradient for gradient in gradients)
    if slots:
        pairs = zip(slots[0], changes, strict=True)
        changes = tuple(optimizer.momentum * m + change for m, change in pairs)
        slots = (changes,)
    return tuple(w + change for w, change in zip(weights, changes, strict=True)), slots


def _by_adam(optimizer: Adam, rate: Any, weight: Any, m: Any, v: Any, gradient: Any) -> Any:
    m += (gradient - m) * (1 - optimizer.beta_1)
    v += (gradient * gradient - v) * (1 - optimizer.beta_2)
    return weight - rate * m / (tf.sqrt(v) + optimizer.epsilon), m, v
