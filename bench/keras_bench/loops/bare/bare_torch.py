"""A stack of Dense layers in PyTorch: eager steps, with gradients written out by hand.

It is the fastest that tests/benchmarks/bare_variants.py measures, of those that are worth their
compiling: torch.nn with autograd and each kind of torch.optim's Adam, steps through torch.compile,
one in a graph or ten, and this. Ten steps in a graph have faster later epochs, but compile for so
long that only some thousands of epochs make up for it.

Next to no step here is arithmetic, so what counts is how many operators PyTorch is asked for: the
optimizer changes all weights at once, as they lie in one vector, and losses and hits are counted
for all steps together.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from keras_bench.loops.bare.network import (
    Adam,
    Network,
    Variables,
    arrays_of,
    network_of,
    variables_of,
)

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "linear": lambda outputs: outputs,
    "softmax": lambda outputs: torch.softmax(outputs, 1),
}

#: The gradient of an activation's inputs, from that of its outputs and the outputs themselves.
BACKWARD: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda gradient, outputs: torch.ops.aten.threshold_backward(gradient, outputs, 0),
    "sigmoid": torch.ops.aten.sigmoid_backward,
    "tanh": torch.ops.aten.tanh_backward,
    "linear": lambda gradient, outputs: gradient,
}


class BareSteps:
    """Trains on batches, one after the other."""

    def __init__(self, model: Any) -> None:
        self._network = network_of(model)
        self._variables = variables_of(model)

    def train(self, batches: Any) -> None:
        x, y = map(torch.from_numpy, arrays_of(self._network, batches))
        with torch.inference_mode():
            self._train(x, y)

    def _train(self, x: Tensor, y: Tensor) -> None:
        network, variables = self._network, self._variables
        weights, *slots = (_Vector(each) for each in (variables.weights, *variables.slots))
        gradients = _Vector(variables.weights)
        update = _update(network, variables, weights.all, gradients.all, [s.all for s in slots])
        answers = _steps(network, weights.parts, gradients.parts, update, x, y)
        for each in (weights, *slots):
            each.write_back()
        steps, batch_size = y.shape[:2]
        variables.iterations.value.add_(steps)
        loss, hits = _scores(network, answers.flatten(0, 1), y.flatten(0, 1))
        sums = (loss * steps * batch_size, steps * batch_size, hits, steps * batch_size)
        for metric, each in zip(variables.metrics, sums, strict=False):
            metric.value.add_(each)

    def logs(self) -> dict[str, float]:
        return self._variables.logs()


class _Vector:
    """Variables of Keras laid one after the other in one vector, with a view of each."""

    def __init__(self, variables: tuple[Any, ...]) -> None:
        self._variables = variables
        self.all = torch.cat([each.value.flatten() for each in variables])
        shapes = [each.value.shape for each in variables]
        parts = self.all.split([shape.numel() for shape in shapes])
        self.parts = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def write_back(self) -> None:
        for variable, part in zip(self._variables, self.parts, strict=True):
            variable.value.copy_(part)


def _steps(
    network: Network,
    weights: list[Tensor],
    gradients: list[Tensor],
    update: Callable[[], None],
    x: Tensor,
    y: Tensor,
) -> Tensor:
    """Train a step on every batch, and return what the network answered to each."""
    kernels, biases = weights[::2], weights[1::2]
    of_kernels, of_biases = gradients[::2], gradients[1::2]
    transposed = [kernel.t() for kernel in kernels]
    forward = [ACTIVATIONS[name] for name in network.activations]
    backward = [BACKWARD[name] for name in network.activations[:-1]]
    layers = range(len(kernels))
    if network.has_classes:
        y = functional.one_hot(y, network.outputs).to(x.dtype)
    answers = []
    for inputs, targets in zip(x.unbind(), y.unbind(), strict=True):
        seen = [inputs]
        for layer in layers:
            outputs = torch.addmm(biases[layer], seen[layer], kernels[layer])
            seen.append(forward[layer](outputs))
        answers.append(seen[-1])
        gradient = _loss_gradient(network, seen[-1], targets)
        for layer in reversed(layers):
            torch.mm(seen[layer].t(), gradient, out=of_kernels[layer])
            torch.sum(gradient, 0, out=of_biases[layer])
            if layer:
                gradient = torch.mm(gradient, transposed[layer])
                gradient = backward[layer - 1](gradient, seen[layer])
        update()
    return torch.stack(answers)


def _loss_gradient(network: Network, answer: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient of a batch's mean loss by the outputs before the last activation."""
    distance = answer - targets
    if network.loss == "mean_squared_error":
        gradient = distance.mul_(2 / distance.numel())
        return BACKWARD[network.activations[-1]](gradient, answer)
    # Of a probability that is clipped, the loss doesn't change.
    if network.has_classes:
        chosen, terms = (answer * targets).sum(1, keepdim=True), len(answer)
    else:
        chosen, terms = answer, answer.numel()
    inside = chosen.clamp(network.clip, 1 - network.clip).eq_(chosen)
    return distance.mul_(inside).div_(terms)


def _update(
    network: Network, variables: Variables, weights: Tensor, gradients: Tensor, slots: list[Tensor]
) -> Callable[[], None]:
    """Return what changes all weights by their gradients, and the slots with them."""
    learning_rate = float(variables.learning_rate.value)
    optimizer = network.optimizer
    if isinstance(optimizer, Adam):
        beta_1, beta_2, epsilon = optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
        momentums, velocities = slots
        numbers = count(int(variables.iterations.value) + 1)

        def by_adam() -> None:
            number = next(numbers)
            rate = learning_rate * (1 - beta_2**number) ** 0.5 / (1 - beta_1**number)
            momentums.lerp_(gradients, 1 - beta_1)
            velocities.mul_(beta_2).addcmul_(gradients, gradients, value=1 - beta_2)
            weights.addcdiv_(momentums, velocities.sqrt().add_(epsilon), value=-rate)

        return by_adam

    def by_sgd() -> None:
        if slots:
            slots[0].mul_(optimizer.momentum).sub_(gradients, alpha=learning_rate)
            weights.add_(slots[0])
        else:
            weights.sub_(gradients, alpha=learning_rate)

    return by_sgd


def _scores(network: Network, answers: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean loss of all examples, and how many of them are right."""
    clipped = answers.clamp(network.clip, 1 - network.clip)
    if network.has_classes:
        loss = functional.nll_loss(clipped.log(), labels)
        return loss, (answers.argmax(1) == labels).sum()
    if network.loss == "binary_crossentropy":
        loss = functional.binary_cross_entropy(clipped, labels)
    else:
        loss = functional.mse_loss(answers, labels)
    return loss, ((answers > 0.5) == labels).to(answers.dtype).mean(1).sum()
