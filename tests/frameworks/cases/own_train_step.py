"""A train_step of one's own for each framework: doubled gradients, its own metric.

As in Keras's guides on customizing fit(), it takes pairs (x, y). All agree.
"""

import keras
import numpy as np

FIT = {"batch_size": 16, "epochs": 2, "shuffle": True}


class Doubled(keras.Model):
    def train_step(self, *args):
        return {"jax": self._jax, "tensorflow": self._tensorflow, "torch": self._torch}[
            keras.backend.backend()
        ](*args)

    def _tensorflow(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply([2.0 * each for each in gradients], self.trainable_variables)
        return self._report(loss)

    def _torch(self, data):
        x, y = data
        self.zero_grad()
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        loss.backward()
        variables = list(self.trainable_weights)
        import torch

        with torch.no_grad():
            self.optimizer.apply([2.0 * each.value.grad for each in variables], variables)
        return self._report(loss)

    def _report(self, loss):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def _jax(self, state, data):
        import jax

        weights, others, optimizer, metrics = state
        x, y = data

        def forward(weights, others):
            predicted, others = self.stateless_call(weights, others, x, training=True)
            return self.compute_loss(y=y, y_pred=predicted), others

        (loss, others), gradients = jax.value_and_grad(forward, has_aux=True)(weights, others)
        gradients = [2.0 * each for each in gradients]
        weights, optimizer = self.optimizer.stateless_apply(optimizer, gradients, weights)
        logs, left = {}, []
        for metric in self.metrics:
            mine = metrics[len(left) : len(left) + len(metric.variables)]
            if metric.name == "loss":
                mine = metric.stateless_update_state(mine, loss)
            logs[metric.name] = metric.stateless_result(mine)
            left += mine
        return logs, (weights, others, optimizer, left)


def build():
    x = keras.Input((6,))
    h = keras.layers.Dense(7, "tanh", name="hidden")(x)
    model = Doubled(x, keras.layers.Dense(1, name="out")(h))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def data(seed):
    x = np.random.default_rng(seed).normal(size=(203, 6)).astype("float32")
    return x, np.sin(x.sum(axis=1, keepdims=True))
