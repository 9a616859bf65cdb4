"""The reference: the textbook's training of dense networks, in NumPy and float64.

Forward pass, losses, gradients and optimizers are written from the formulas, with the chain
rule by hand. An array may have a leading axis of replicas; a layer's values have the shape
(..., batch, features), kernels (..., inputs, outputs) and biases (..., 1, outputs).

Sources: I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (MIT Press, 2016), algorithms 6.3
and 6.4 for the gradients, 8.1 to 8.3 for SGD, momentum and Nesterov's momentum; D. Kingma and
J. Ba, Adam (ICLR 2015), in the order of computation given before their section 2.1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_bench.parity.arithmetic import Arithmetic
from keras_bench.parity.network import SGD, Adam, Layer, Loss, Network
from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    RUNNING_LOSS,
    STEP,
    THE_LOSS,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)

Array = np.ndarray
State = dict[str, Array]

#: What a step holds, by its stage and subject.
Step = dict[tuple[str, str], Array]


def train(
    network: Network,
    initial: Mapping[str, Array],
    x: Array,
    y: Array,
    orders: Sequence[Array],
    batch_size: int,
    points: Sequence[tuple[int, int]],
    arithmetic: Arithmetic,
) -> dict[Place, Array]:
    """Train from initial weights, an epoch per order of the examples.

    Returns the losses and the state after each epoch, the running loss (the mean over the
    examples of the epoch so far) at the points and at each epoch's first step, and every stage
    of the steps that are points.
    """
    state = start(network, initial, arithmetic)
    seen: dict[Place, Array] = {}
    for epoch, order in enumerate(orders, start=1):
        total: Array = np.zeros(())
        examples = 0
        for step, first in enumerate(range(0, len(order), batch_size), start=1):
            chosen = order[first : first + batch_size]
            taken = take_step(network, state, x[chosen], y[chosen], arithmetic)
            if (epoch, step) in points:
                seen |= {
                    Place(epoch, step, stage, about): array
                    for (stage, about), array in taken.items()
                }
            total = arithmetic.rounded(total + taken[STEP, THE_LOSS] * len(chosen))
            examples += len(chosen)
            if (epoch, step) in points or step == 1:
                seen[Place(epoch, step, RUNNING_LOSS)] = arithmetic.quotient(total, examples)
            state = {path: taken[UPDATE, path] for path in state}
        seen[Place(epoch, 0, EPOCH_LOSS)] = arithmetic.quotient(total, examples)
        seen |= {Place(epoch, 0, EPOCH_END, path): array for path, array in state.items()}
    return seen


def start(network: Network, initial: Mapping[str, Array], arithmetic: Arithmetic) -> State:
    """Return the state before the first step: the weights, and an optimizer that is at rest."""
    weights = {path: _of_two_axes(initial[path]) for path in network.weights}
    state = {path: arithmetic.rounded(array) for path, array in weights.items()}
    for (_, weight), path in network.slots.items():
        state[path] = np.zeros_like(state[weight])
    state[network.iterations] = np.zeros((1, 1))
    state[network.learning_rate] = np.full((1, 1), network.optimizer.learning_rate)
    return state


def take_step(network: Network, state: State, x: Array, y: Array, arithmetic: Arithmetic) -> Step:
    """Train on one batch: each stage is fed by the one before."""
    seen: Step = {(BEFORE, path): array for path, array in state.items()}
    value = arithmetic.rounded(x.astype("float64"))
    for layer in network.layers:
        seen[LAYER_INPUT, layer.name] = value
        value, logits = forward(layer, state, value, arithmetic)
        seen[FORWARD, layer.name] = value
    seen[LOGITS, THE_LOSS] = logits
    loss, gradient = loss_and_gradient(network.loss, y, value, arithmetic)
    seen[LOSS, THE_LOSS] = seen[STEP, THE_LOSS] = loss
    last = network.layers[-1]
    by_logits = activation_gradient(last, value, gradient, arithmetic)
    seen[LOSS_GRADIENT, THE_LOSS] = by_logits
    for layer in reversed(network.layers):
        seen[OUTPUT_GRADIENT, layer.name] = gradient
        gradient, by_weights = backward(
            layer, state, seen[LAYER_INPUT, layer.name], gradient, arithmetic
        )
        seen[INPUT_GRADIENT, layer.name] = gradient
        for path, array in by_weights.items():
            seen[WEIGHT_GRADIENT, path] = seen[GRADIENT, path] = array
    gradients = {path: seen[GRADIENT, path] for path in network.weights}
    for path, array in update(network, state, gradients, arithmetic).items():
        seen[UPDATE, path] = seen[STEP, path] = array
    return seen


def stages_apart(network: Network, given: Step, x: Array, y: Array, arithmetic: Arithmetic) -> Step:
    """Carry out every stage of a step by itself, fed by what is given, as a worker does."""

    def fed(stage: str, about: str) -> Array:
        return arithmetic.rounded(given[stage, about])

    state = {path: fed(BEFORE, path) for stage, path in given if stage == BEFORE}
    seen: Step = {}
    for layer in network.layers:
        inputs = fed(LAYER_INPUT, layer.name)
        seen[FORWARD, layer.name], _ = forward(layer, state, inputs, arithmetic)
        seen[INPUT_GRADIENT, layer.name], by_weights = backward(
            layer, state, inputs, fed(OUTPUT_GRADIENT, layer.name), arithmetic
        )
        for path, array in by_weights.items():
            seen[WEIGHT_GRADIENT, path] = array
    last = network.layers[-1]
    output = activate(last.activation, fed(LOGITS, THE_LOSS), arithmetic)
    seen[LOSS, THE_LOSS], gradient = loss_and_gradient(network.loss, y, output, arithmetic)
    seen[LOSS_GRADIENT, THE_LOSS] = activation_gradient(last, output, gradient, arithmetic)
    whole = take_step(network, state, x, y, arithmetic)
    for (stage, about), array in whole.items():
        if stage in (GRADIENT, STEP):
            seen[stage, about] = array
    gradients = {path: fed(GRADIENT, path) for path in network.weights}
    for path, array in update(network, state, gradients, arithmetic).items():
        seen[UPDATE, path] = array
    return seen


def forward(
    layer: Layer, weights: Mapping[str, Array], x: Array, arithmetic: Arithmetic
) -> tuple[Array, Array]:
    """Return a layer's output, and what its activation was given."""
    logits = x
    if layer.kernel is not None:
        logits = arithmetic.dot(x, weights[layer.kernel])
    if layer.bias is not None:
        logits = arithmetic.rounded(logits + weights[layer.bias])
    return activate(layer.activation, logits, arithmetic), logits


def activate(activation: str, logits: Array, arithmetic: Arithmetic) -> Array:
    """Return linear, relu, sigmoid or softmax of the logits."""
    if activation == "relu":
        return np.asarray(np.maximum(logits, 0.0))
    if activation == "sigmoid":
        with np.errstate(over="ignore"):  # 1 / infinity is the 0 that is meant.
            return arithmetic.rounded(1.0 / arithmetic.rounded(1.0 + np.exp(-logits)))
    if activation == "softmax":
        shifted = arithmetic.rounded(logits - logits.max(axis=-1, keepdims=True))
        powers = arithmetic.rounded(np.exp(shifted))
        return arithmetic.rounded(powers / arithmetic.total(powers, -1))
    return logits


def activation_gradient(
    layer: Layer, output: Array, gradient: Array, arithmetic: Arithmetic
) -> Array:
    """Return the gradient by the logits, from that by the output of a layer's activation."""
    return _through(layer.activation, output, gradient, arithmetic)


def backward(
    layer: Layer, weights: Mapping[str, Array], x: Array, gradient: Array, arithmetic: Arithmetic
) -> tuple[Array, dict[str, Array]]:
    """Return the gradients by a layer's input and by its weights, from that by its output."""
    output, _ = forward(layer, weights, x, arithmetic)
    by_logits = activation_gradient(layer, output, gradient, arithmetic)
    by_weights = {}
    by_input = by_logits
    if layer.kernel is not None:
        by_weights[layer.kernel] = arithmetic.dot(np.swapaxes(x, -1, -2), by_logits)
        by_input = arithmetic.dot(by_logits, np.swapaxes(weights[layer.kernel], -1, -2))
    if layer.bias is not None:
        by_weights[layer.bias] = arithmetic.total(by_logits, -2)
    return by_input, by_weights


def loss_and_gradient(
    loss: Loss, y: Array, output: Array, arithmetic: Arithmetic
) -> tuple[Array, Array]:
    """Return the loss of a batch, of shape (..., 1, 1), and its gradient by the output."""
    if loss.kind == "squared error":
        targets = y.reshape(len(y), -1).astype("float64")
        error = arithmetic.rounded(output - targets)
        terms, by_output = arithmetic.rounded(error**2), 2.0 * error
    else:
        targets = _targets(loss.kind, y, output.shape[-1])
        way = _cross_entropy_of_logits if loss.from_logits else _cross_entropy
        # A probability that is 0 where it should be 1 makes the loss infinite, as it should.
        with np.errstate(divide="ignore", invalid="ignore"):
            terms, by_output = way(loss.kind, targets, output, arithmetic)
    of_examples, share = arithmetic.total(terms, -1), arithmetic.share(output.shape[-2])
    if loss.kind in ("squared error", "binary"):  # A mean over the outputs of each example.
        of_examples = arithmetic.quotient(of_examples, output.shape[-1])
        share = share * arithmetic.share(output.shape[-1])
    value = arithmetic.quotient(arithmetic.total(of_examples, -2), output.shape[-2])
    return value, arithmetic.rounded(by_output * share)


def _cross_entropy(
    kind: str, targets: Array, output: Array, arithmetic: Arithmetic
) -> tuple[Array, Array]:
    """Return minus the logarithm of each probability by its target, and the derivative."""
    probability, slope = arithmetic.probability(output)
    terms = np.where(targets != 0.0, -targets * np.log(probability), 0.0)
    by_probability = np.where(targets != 0.0, -targets / probability, 0.0)
    if kind == "binary":
        rest = arithmetic.rounded(1.0 - probability)
        others = 1.0 - targets
        terms = terms - np.where(others != 0.0, others * np.log(rest), 0.0)
        by_probability = by_probability + np.where(others != 0.0, others / rest, 0.0)
    return arithmetic.rounded(terms), by_probability * slope


def _cross_entropy_of_logits(
    kind: str, targets: Array, logits: Array, arithmetic: Arithmetic
) -> tuple[Array, Array]:
    """Return the same from logits, without a probability that could become 0.

    With softmax it is Σ targets · (log Σ exp(logits) - logits), with a sigmoid
    max(logits, 0) - logits · targets + log(1 + exp(-|logits|)); the derivative is the
    probability less the target, times the sum of the targets.
    """
    rounded = arithmetic.rounded
    if kind == "binary":
        tail = rounded(np.log1p(np.exp(-np.abs(logits))))
        terms = rounded(np.maximum(logits, 0.0) - rounded(logits * targets)) + tail
        return rounded(terms), rounded(activate("sigmoid", logits, arithmetic) - targets)
    shifted = rounded(logits - logits.max(axis=-1, keepdims=True))
    total = arithmetic.total(rounded(np.exp(shifted)), -1)
    terms = rounded(targets * rounded(rounded(np.log(total)) - shifted))
    weight = targets.sum(axis=-1, keepdims=True)
    return terms, rounded(weight * activate("softmax", logits, arithmetic) - targets)


def _targets(kind: str, y: Array, classes: int) -> Array:
    if kind == "sparse categorical":
        return np.asarray(np.eye(classes)[y.reshape(-1).astype(int)])
    return y.reshape(len(y), -1).astype("float64")


def update(
    network: Network, state: State, gradients: Mapping[str, Array], arithmetic: Arithmetic
) -> State:
    """Return the state after the optimizer's step."""
    optimizer = network.optimizer
    after = dict(state)
    after[network.iterations] = np.rint(state[network.iterations]) + 1
    iteration = int(after[network.iterations].flat[0])
    for path, gradient in gradients.items():
        if isinstance(optimizer, Adam):
            after |= _adam(optimizer, network, state, path, gradient, iteration, arithmetic)
        else:
            after |= _sgd(optimizer, network, state, path, gradient, arithmetic)
    return after


def _sgd(
    optimizer: SGD,
    network: Network,
    state: State,
    path: str,
    gradient: Array,
    arithmetic: Arithmetic,
) -> State:
    rounded = arithmetic.rounded
    step = rounded(arithmetic.constant(optimizer.learning_rate) * gradient)
    if not optimizer.momentum:
        return {path: rounded(state[path] - step)}
    slot = network.slots["momentum", path]
    momentum = arithmetic.cast(optimizer.momentum)
    velocity = rounded(rounded(momentum * state[slot]) - step)
    move = rounded(rounded(momentum * velocity) - step) if optimizer.nesterov else velocity
    return {slot: velocity, path: rounded(state[path] + move)}


def _adam(
    optimizer: Adam,
    network: Network,
    state: State,
    path: str,
    gradient: Array,
    iteration: int,
    arithmetic: Arithmetic,
) -> State:
    rounded, constant = arithmetic.rounded, arithmetic.constant
    first, second = network.slots["momentum", path], network.slots["velocity", path]
    momentum = rounded(
        constant(optimizer.beta_1) * state[first] + constant(1 - optimizer.beta_1) * gradient
    )
    velocity = rounded(
        constant(optimizer.beta_2) * state[second]
        + constant(1 - optimizer.beta_2) * rounded(gradient**2)
    )
    # Of two constants: their difference from 1 keeps few digits in the first steps.
    rests = [
        rounded(1.0 - rounded(np.asarray(arithmetic.cast(beta) ** iteration)))
        for beta in (optimizer.beta_1, optimizer.beta_2)
    ]
    rate = rounded(constant(optimizer.learning_rate) * rounded(np.sqrt(rests[1])) / rests[0])
    denominator = arithmetic.adam_denominator(velocity, optimizer.epsilon)
    move = rounded(rounded(rate * momentum) / denominator)
    return {first: momentum, second: velocity, path: rounded(state[path] - move)}


def _through(activation: str, output: Array, gradient: Array, arithmetic: Arithmetic) -> Array:
    """Multiply a gradient by the derivative of an activation, which its output tells."""
    rounded = arithmetic.rounded
    if activation == "relu":
        return np.asarray(gradient * (output > 0))
    if activation == "sigmoid":
        return rounded(gradient * rounded(output * (1.0 - output)))
    if activation == "softmax":
        inner = arithmetic.total(rounded(gradient * output), -1)
        return rounded(output * rounded(gradient - inner))
    return gradient


def _of_two_axes(array: Array) -> Array:
    return np.asarray(np.atleast_2d(array.astype("float64")))
