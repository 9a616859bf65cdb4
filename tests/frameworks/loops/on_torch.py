"""Trainings that only torch could get wrong: what a trace of Python keeps, or doesn't see.

`python on_torch.py` runs in torch's environment and writes a line of JSON: for each training what
the loop left that `fit` didn't, or why it refused.
"""

import json
import os
import warnings
from typing import Any

import keras
import numpy as np
import torch
from comparing import compare, refusal
from trainings import Case, columns, dense

from keras_bench.loops.refusals import LoopRefusal

TRAININGS: dict[str, Any] = {}


def training(build: Any) -> Any:
    TRAININGS[build.__name__] = build
    return build


def with_call(call: Any) -> Any:
    """A model with a layer that does this to its inputs."""

    class Own(keras.layers.Layer):
        calls = 0

        def call(self, inputs):
            return call(self, inputs)

    return dense(keras, Own())


# --- what a trace doesn't see of itself


@training
def draws_without_a_seed(keras):
    return with_call(lambda _, x: x + 0.1 * keras.random.normal(x.shape[-1:]))


@training
def keeps_a_tensor_to_itself(keras):
    kept = torch.zeros(())

    def call(_, x):
        kept.add_(0.1)
        return x / (1 + kept)

    model = with_call(call)
    # Keras has called it to build the model.
    kept.zero_()
    return model


@training
def holds_modules_of_torch(keras):
    modules = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5))
    modules.to(keras.ops.zeros(()).dtype)
    wrapped = keras.layers.TorchModuleWrapper(modules)
    model = keras.Sequential([keras.Input((4,)), wrapped, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


@training
def goes_back_twice_in_a_step(keras):
    class Twice(keras.Sequential):
        def train_step(self, data):
            x, y = data
            weights = self.trainable_variables
            for part in (slice(0, None, 2), slice(1, None, 2)):
                self.zero_grad()
                loss = self.compute_loss(y=y[part], y_pred=self(x[part], training=True))
                loss.backward()
                with torch.no_grad():
                    self.optimizer.apply([each.value.grad for each in weights], weights)
            return {"last": loss}

    model = Twice([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


# --- what a trace would keep for ever


@training
def counts_in_python(keras):
    def call(layer, x):
        layer.calls += 1
        return x / layer.calls

    return with_call(call)


@training
def draws_with_numpy(keras):
    return with_call(lambda _, x: x + np.random.normal())


@training
def looks_at_a_number(keras):
    return with_call(lambda _, x: x * (2 if keras.ops.mean(x) > 0 else 1))


@training
def works_in_numpy(keras):
    return with_call(lambda _, x: x + np.abs(x.detach().numpy()).mean())


@training
def takes_arrays_of_numpy(keras):
    return with_call(lambda _, x: x + torch.from_numpy(np.random.normal(size=x.shape[-1:])))


# --- with torch's compiler, and without


@training
def has_a_compiler(keras):
    return dense(keras, keras.layers.Dropout(0.5), keras.layers.Dropout(0.3, seed=4))


@training
def has_no_compiler(keras):
    torch._inductor.config.cpp.cxx = ("/nowhere/c++",)
    return dense(keras, keras.layers.Dropout(0.5), optimizer="adam")


def grows(keras: Any, fit_fused: Any) -> float:
    """Return how far a compiled loop and `fit` part where examples are more than at first."""
    os.environ["TORCH_COMPILE_DISABLE"] = "0"
    weights = []
    for train in (fit_fused, lambda model, **settings: model.fit(**settings)):
        keras.utils.set_random_seed(0)
        model = dense(keras)
        for examples in (24, 200):
            train(model, **columns(examples), batch_size=8, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    return float(max(np.abs(a - b).max() for a, b in zip(*weights, strict=True)))


def of_few_examples(fit_fused: Any, blocks: int, *last: Any) -> str:
    """Return the refusal of a chaotic training in float32: normalizations of four raw counts."""
    keras.config.set_floatx("float32")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    stack = [
        [layers.Dense(24, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0)]
        for _ in range(blocks)
    ]
    model = keras.Sequential(
        [
            keras.Input((10,)),
            *(layer for block in stack for layer in block),
            *last,
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    x = random.integers(0, 201, size=(24, 10)).astype("float32")
    try:
        fit_fused(model, x, random.integers(0, 3, size=24), batch_size=4, verbose=0)
    except LoopRefusal as reason:
        return str(reason)
    finally:
        keras.config.set_floatx("float64")
    return ""


class Counts(keras.layers.Layer):
    calls = 0

    def call(self, inputs):
        self.calls += 1
        return inputs * (1 + 0.1 * (self.calls % 2))


def main() -> None:
    # Frameworks print on stdout.
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from keras_bench.loops.fused import fit_fused

    keras.config.set_floatx("float64")
    answers = {"grows": grows(keras, fit_fused)}
    os.environ["TORCH_COMPILE_DISABLE"] = "1"
    answers["few examples"] = of_few_examples(fit_fused, 12)
    answers["fewer digits"] = of_few_examples(fit_fused, 40)
    answers["few examples, counted"] = of_few_examples(fit_fused, 12, Counts())
    for name, build in TRAININGS.items():
        os.environ["TORCH_COMPILE_DISABLE"] = "0" if "compiler" in name else "1"
        case = Case(build, columns)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = compare(keras, fit_fused, case)
            except LoopRefusal:
                answer = refusal(keras, fit_fused, case)
        answers[name] = {**answer, "warnings": [str(each.message) for each in caught]}
    reply.write(json.dumps(answers))
    reply.close()


if __name__ == "__main__":
    main()
