"""A stack of Dense layers in JAX: an epoch is one `jax.lax.scan` over hand-written steps."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from keras_bench.loops.bare.network import Adam, Network, arrays_of, network_of, variables_of

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "linear": lambda x: x,
    "softmax": jax.nn.softmax,
}


class BareSteps:
    """Trains on batches in one call."""

    def __init__(self, model: Any) -> None:
        self._network = network_of(model)
        self._variables = variables_of(model)
        self._program = jax.jit(partial(_scan, self._network))

    def train(self, batches: Any) -> None:
        variables = self._variables
        changed = (variables.weights, variables.slots, variables.iterations, variables.metrics)
        state = jax.tree.map(lambda variable: variable.value, changed)
        state = self._program(
            state, variables.learning_rate.value, *arrays_of(self._network, batches)
        )
        jax.tree.map(lambda variable, value: variable.assign(value), changed, state)

    def logs(self) -> dict[str, float]:
        return self._variables.logs()


def _scan(network: Network, state: Any, learning_rate: Any, x: Any, y: Any) -> Any:
    """Return the state after every step."""
    weights, slots, iterations, metrics = state
    steps, batch_size = x.shape[:2]

    def step(state: Any, batch: Any) -> Any:
        weights, slots = state
        x, y, number = batch
        loss = partial(_loss, network, x=x, y=y)
        (value, hits), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
        state = _update(network, weights, slots, gradients, learning_rate, number)
        return state, (value, hits)

    numbers = iterations + 1 + jnp.arange(steps, dtype=iterations.dtype)
    (weights, slots), (losses, hits) = jax.lax.scan(step, (weights, slots), (x, y, numbers))
    examples = steps * batch_size
    sums = (losses.sum() * batch_size, examples, hits.sum(), examples)[: len(metrics)]
    metrics = tuple(metric + each for metric, each in zip(metrics, sums, strict=True))
    return weights, slots, iterations + steps, metrics


def _loss(network: Network, weights: Any, x: Any, y: Any) -> Any:
    """Return the mean loss of a batch, and how many of its examples are right."""
    for kernel, bias, name in zip(weights[::2], weights[1::2], network.activations, strict=True):
        x = ACTIVATIONS[name](x @ kernel + bias)
    clipped = jnp.clip(x, network.clip, 1 - network.clip)
    if network.has_classes:
        chosen = jax.nn.one_hot(y, network.outputs, dtype=x.dtype)
        loss = -(chosen * jnp.log(clipped)).sum(-1).mean()
        return loss, (x.argmax(-1) == y).sum()
    if network.loss == "binary_crossentropy":
        loss = -(y * jnp.log(clipped) + (1 - y) * jnp.log(1 - clipped)).mean()
    else:
        loss = jnp.square(x - y).mean()
    return loss, ((x > 0.5) == y).mean(-1).sum()


def _update(
    network: Network, weights: Any, slots: Any, gradients: Any, learning_rate: Any, number: Any
) -> Any:
    """Return the weights and slots after a step of this number, counted from 1."""
    optimizer = network.optimizer
    if isinstance(optimizer, Adam):
        number = number.astype(network.floatx)
        root = jnp.sqrt(1 - optimizer.beta_2**number)
        rate = learning_rate * root / (1 - optimizer.beta_1**number)

        def by_adam(weight: Any, m: Any, v: Any, gradient: Any) -> Any:
            m += (gradient - m) * (1 - optimizer.beta_1)
            v += (gradient * gradient - v) * (1 - optimizer.beta_2)
            return weight - rate * m / (jnp.sqrt(v) + optimizer.epsilon), m, v

        weights, *slots = zip(*map(by_adam, weights, *slots, gradients), strict=True)
        return weights, tuple(slots)
    if slots:
        (momentums,) = slots
        momentums = jax.tree.map(
            lambda m, gradient: optimizer.momentum * m - learning_rate * gradient,
            momentums,
            gradients,
        )
        return jax.tree.map(jnp.add, weights, momentums), (momentums,)
    return jax.tree.map(lambda w, gradient: w - learning_rate * gradient, weights, gradients), ()
