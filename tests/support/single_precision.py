"""A training in float32 that is no framework's."""

import numpy as np
from parity_builders import BIAS, KERNEL, LAST_BIAS, LAST_KERNEL

from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INITIAL_WEIGHTS,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    RUNNING_LOSS,
    STEP,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)


class Single:
    """A network of relu and softmax that trains by itself in float32, as a framework does.

    Cross-entropy and softmax have their gradient as one, and Adam moves its moments by a share
    of their distance, which is subtracted from 1 before it becomes a float32.
    """

    def __init__(self, planned, reference):
        self.planned, self.reference = planned, reference.arrays
        config = planned.blueprint.optimizer.config
        names = ("learning_rate", "beta_1", "beta_2", "epsilon")
        self.rate, self.beta_1, self.beta_2, self.epsilon = (
            np.float32(config[name]) for name in names
        )
        self.rests = [np.float32(1 - config[name]) for name in ("beta_1", "beta_2")]
        self.weights = (KERNEL, BIAS, LAST_KERNEL, LAST_BIAS)
        self.state = {path: np.float32(planned.initial[path]) for path in self.weights}
        for path in self.weights:
            for slot in ("momentum", "velocity"):
                self.state[self.slot(path, slot)] = np.zeros_like(self.state[path])
        self.state["optimizer/iteration"] = np.array(0)
        self.state["optimizer/learning_rate"] = self.rate

    @staticmethod
    def slot(path, slot):
        return f"optimizer/{path.replace('/', '_')}_{slot}"

    @staticmethod
    def softmax(logits):
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def step(self, state, x, y):
        hidden = np.maximum(x @ state[KERNEL] + state[BIAS], np.float32(0))
        chances = self.softmax(hidden @ state[LAST_KERNEL] + state[LAST_BIAS])
        by_logits = self.by_logits(chances, y)
        by_hidden = by_logits @ state[LAST_KERNEL].T * (hidden > 0)
        return self.loss(chances, y), {
            KERNEL: x.T @ by_hidden,
            BIAS: by_hidden.sum(axis=0),
            LAST_KERNEL: hidden.T @ by_logits,
            LAST_BIAS: by_logits.sum(axis=0),
        }

    @staticmethod
    def loss(chances, y):
        return np.mean(-np.log(chances[np.arange(len(y)), y]))

    @staticmethod
    def by_logits(chances, y):
        return (chances - np.eye(chances.shape[1], dtype="float32")[y]) / np.float32(len(y))

    def update(self, state, gradients):
        after = dict(state)
        after["optimizer/iteration"] = state["optimizer/iteration"] + 1
        iteration = np.float32(after["optimizer/iteration"])
        one = np.float32(1)
        rate = self.rate * np.sqrt(one - self.beta_2**iteration) / (one - self.beta_1**iteration)
        for path, gradient in gradients.items():
            first, second = self.slot(path, "momentum"), self.slot(path, "velocity")
            after[first] = state[first] + (gradient - state[first]) * self.rests[0]
            after[second] = state[second] + (gradient**2 - state[second]) * self.rests[1]
            root = np.sqrt(after[second]) + self.epsilon
            after[path] = state[path] - rate * after[first] / root
        return after

    def seen(self):
        seen = {Place(0, 0, INITIAL_WEIGHTS, path): self.state[path] for path in self.weights}
        for epoch, step in self.planned.points:
            found = self.taken_apart(epoch, step)
            seen |= {Place(epoch, step, *about): array for about, array in found.items()}
        return seen | self.freely()

    def taken_apart(self, epoch, step):
        def fed(stage, subject="loss"):
            array = self.reference[Place(epoch, step, stage, subject)]
            return array.astype("float32")

        x, y = self.planned.batch(epoch, step)
        state = {path: fed(BEFORE, path) for path in self.state}
        state["optimizer/iteration"] = np.rint(state["optimizer/iteration"]).astype(int)
        found = {}

        inputs, given_gradient = fed(LAYER_INPUT, "dense"), fed(OUTPUT_GRADIENT, "dense")
        hidden = np.maximum(inputs @ state[KERNEL] + state[BIAS], np.float32(0))
        by_logits = given_gradient * (hidden > 0)
        found[FORWARD, "dense"] = hidden
        found[INPUT_GRADIENT, "dense"] = by_logits @ state[KERNEL].T
        found[WEIGHT_GRADIENT, KERNEL] = inputs.T @ by_logits
        found[WEIGHT_GRADIENT, BIAS] = by_logits.sum(axis=0)

        inputs, given_gradient = fed(LAYER_INPUT, "dense_1"), fed(OUTPUT_GRADIENT, "dense_1")
        chances = self.softmax(inputs @ state[LAST_KERNEL] + state[LAST_BIAS])
        inner = (given_gradient * chances).sum(axis=1, keepdims=True)
        by_logits = chances * (given_gradient - inner)
        found[FORWARD, "dense_1"] = chances
        found[INPUT_GRADIENT, "dense_1"] = by_logits @ state[LAST_KERNEL].T
        found[WEIGHT_GRADIENT, LAST_KERNEL] = inputs.T @ by_logits
        found[WEIGHT_GRADIENT, LAST_BIAS] = by_logits.sum(axis=0)

        chances = self.softmax(fed(LOGITS))
        found[LOSS, "loss"] = self.loss(chances, y)
        found[LOSS_GRADIENT, "loss"] = self.by_logits(chances, y)

        value, gradients = self.step(state, x, y)
        found |= {(GRADIENT, path): gradients[path] for path in self.weights}
        found[STEP, "loss"] = value
        found |= {(STEP, path): array for path, array in self.update(state, gradients).items()}
        given_gradients = {path: fed(GRADIENT, path) for path in self.weights}
        updated = self.update(state, given_gradients)
        return found | {(UPDATE, path): array for path, array in updated.items()}

    def freely(self):
        seen = {}
        state = self.state
        size = self.planned.blueprint.batch_size
        for epoch, order in enumerate(self.planned.orders, start=1):
            total, examples = np.float32(0), 0
            for step in range(1, -(-len(order) // size) + 1):
                x, y = self.planned.batch(epoch, step)
                value, gradients = self.step(state, x, y)
                state = self.update(state, gradients)
                total, examples = total + value * np.float32(len(x)), examples + len(x)
                seen[Place(epoch, step, RUNNING_LOSS)] = total / np.float32(examples)
            seen[Place(epoch, 0, EPOCH_LOSS)] = total / np.float32(examples)
            seen |= {Place(epoch, 0, EPOCH_END, path): array for path, array in state.items()}
        return seen
