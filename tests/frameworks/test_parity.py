"""Parity on real frameworks: planted faults are found and named, and clean networks are clean."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import PROJECT

from keras_bench.parity.room import BYTES_PER_NUMBER
from keras_bench.parity.verdict import Verdict, describe

#: Two Dense layers, and three steps an epoch; a test replaces a part of it.
WORKLOAD = """
import keras, numpy as np
from keras import ops
from keras.layers import Dense

BACKEND = keras.backend.backend()
FIT = {"batch_size": 10, "epochs": 1}
OPTIMIZER = keras.optimizers.Adam(0.001)
LOSS = "sparse_categorical_crossentropy"
Hidden = Dense
Model = keras.Sequential

def data(seed):
    x = np.random.default_rng(seed).normal(size=(26, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")

def change(model):
    pass

# here

def build():
    layers = [keras.Input((3,)), Hidden(5, "relu", name="hidden"), Dense(2, "softmax", name="out")]
    model = Model(layers)
    model.compile(OPTIMIZER, LOSS)
    change(model)
    return model
"""

LAYER_OFF = """
def change(model):
    if BACKEND == "torch":
        layer = model.get_layer("hidden")
        right = layer.call
        layer.call = lambda x, training=None: right(x) * 1.0001
"""

LAYER_CLASS_OFF = """
class Hidden(Dense):
    def call(self, x, training=None):
        return super().call(x) * (1.0001 if BACKEND == "jax" else 1.0)
"""

EPSILON = "OPTIMIZER = keras.optimizers.Adam(0.001, epsilon=1e-5 if BACKEND == 'torch' else 1e-7)\n"

EPSILON_INSIDE = """
class Adam(keras.optimizers.Adam):
    def build(self, variables):
        super().build(variables)
        if BACKEND == "tensorflow":
            self.epsilon = 1e-5
OPTIMIZER = Adam(0.001)
"""

LOSS_WITHOUT_MEAN = """
LOSS = keras.losses.SparseCategoricalCrossentropy(
    reduction="sum" if BACKEND == "tensorflow" else "sum_over_batch_size")
"""

OWN_LOSS_WITHOUT_MEAN = """
def LOSS(y, p):
    losses = keras.losses.sparse_categorical_crossentropy(y, p)
    return ops.sum(losses) if BACKEND == "tensorflow" else ops.mean(losses)
"""

ZERO_GRADIENT = """
class Hidden(Dense):
    def call(self, x, training=None):
        kernel = ops.stop_gradient(self.kernel) if BACKEND == "torch" else self.kernel
        return self.activation(ops.matmul(x, kernel) + self.bias)
"""

ZERO_GRADIENT_IN_STEP = """
if BACKEND == "torch":
    import torch

    class Model(keras.Sequential):
        def train_step(self, data):
            x, y = data[:2]
            predictions = self(x, training=True)
            self.zero_grad()
            loss = self.compute_loss(x=x, y=y, y_pred=predictions)
            self._loss_tracker.update_state(loss, sample_weight=x.shape[0])
            loss.backward()
            gradients = [variable.value.grad for variable in self.trainable_weights]
            gradients[2] = torch.zeros_like(gradients[2])
            with torch.no_grad():
                self.optimizer.apply(gradients, self.trainable_weights)
            return self.compute_metrics(x, y, predictions)
"""

OTHER_BATCHES = """
class Model(keras.Sequential):
    def fit(self, x, y, **settings):
        if BACKEND == "jax":
            order = np.random.default_rng(5).permutation(len(x))
            x, y = x[order], y[order]
        return super().fit(x, y, **settings)
"""

OTHER_DATA = """
def data(seed):
    x = np.random.default_rng(seed).normal(size=(26, 3)).astype("float32")
    if BACKEND == "jax":
        x = x[np.random.default_rng(5).permutation(len(x))]
    return x, (x[:, 0] > 0).astype("int32")
"""

OWN_INITIAL_WEIGHT = """
class Hidden(Dense):
    def build(self, shape):
        super().build(shape)
        if BACKEND == "torch":
            self.kernel.assign = lambda value: self.kernel
"""

ANOTHER_SHAPE = "Hidden = lambda units, *a, **k: Dense(units + (BACKEND == 'jax'), *a, **k)\n"


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {each.backend: each.outcome for each in verdict.backends}


def causes(verdict: Verdict, backend: str) -> list[str]:
    (found,) = (each for each in verdict.backends if each.backend == backend)
    return [describe(cause) for cause in found.causes]


@pytest.mark.parametrize(
    ("fault", "backend", "named"),
    [
        (LAYER_CLASS_OFF, "jax", ["in epoch 1, step 1: the output of layer hidden"]),
        (EPSILON_INSIDE, "tensorflow", ["step 1: the optimizer's update of hidden/kernel"]),
        (LOSS_WITHOUT_MEAN, "tensorflow", ["step 1: the loss .* reduction=sum instead of"]),
        (OWN_LOSS_WITHOUT_MEAN, "tensorflow", ["in epoch 1, step 1: the loss "]),
        (ZERO_GRADIENT, "torch", ["step 1: the gradient of hidden/kernel, which is zero"]),
        (
            ZERO_GRADIENT_IN_STEP,
            "torch",
            ["the training step .* in out/kernel, which stays what it was"],
        ),
        (OTHER_BATCHES, "jax", ["in epoch 1, step 1: the batches that fit trains on"]),
        (OTHER_DATA, "jax", ["before the training: data.. gives it another x and another y"]),
        (OWN_INITIAL_WEIGHT, "torch", ["before the training: the initial value of hidden/kernel"]),
        (ANOTHER_SHAPE, "jax", ["its model has hidden/kernel .3, 6."]),
        (
            LAYER_OFF + EPSILON,
            "torch",
            [
                    "in epoch 1, step 1: the output of layer hidden",
                    "the optimizer's update of hidden/kernel .* epsilon=1e-05 instead of",
                ],
        ),
    ],
    ids=[
        "layer of its own class", "epsilon of an own optimizer", "loss", "loss of its own",
        "gradient", "gradient in train_step", "batches", "data", "initial weight", "shape",
        "a layer and epsilon",
    ],
)  # fmt: skip
def test_a_planted_fault_is_found_and_named_once(check, fault, backend: str, named: list[str]):
    verdict = check(WORKLOAD.replace("# here", fault))
    assert outcomes(verdict) == {
        each: "differs" if each == backend else "agrees" for each in ("tensorflow", "jax", "torch")
    }
    found = causes(verdict, backend)
    assert len(found) == len(named)
    for cause, pattern in zip(found, named, strict=True):
        assert re.search(pattern, cause), cause


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        # The smoke test has the other network.
        ("dense_1_16_32_2", "float32"),
        ("dense_1_16_32_2", "float64"),
    ],
)
def test_the_networks_differ_in_nothing_but_what_the_documentation_explains(
    check, name: str, dtype: str
):
    verdict = check(name, dtype=dtype, epochs=2, most_steps=31)
    assert verdict.source == "the NumPy reference"
    if dtype == "float32":
        assert set(outcomes(verdict).values()) == {"agrees"}
        return
    # Plain SGD has no number that Keras casts on TensorFlow.
    tensorflow = "agrees" if name == "dense_3_5_2" else "explained"
    assert outcomes(verdict) == {"tensorflow": tensorflow, "jax": "agrees", "torch": "explained"}
    explained = (PROJECT / "docs" / "explanation" / "parity.md").read_text(encoding="utf-8")
    reasons = {cause.reason for each in verdict.backends for cause in each.causes}
    assert {reason for reason in reasons if reason not in explained} == set()


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    units=st.lists(st.integers(1, 6), min_size=0, max_size=2),
    hidden=st.sampled_from(["relu", "sigmoid", "linear", "softmax"]),
    end=st.sampled_from(
        [
            ("Dense(3, 'softmax')", "'sparse_categorical_crossentropy'"),
            ("Dense(3)", "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
            ("Dense(1, 'sigmoid')", "'binary_crossentropy'"),
            ("Dense(2)", "'mse'"),
        ]
    ),
    optimizer=st.sampled_from(
        [
            "SGD(0.1)",
            "SGD(0.05, momentum=0.9)",
            "SGD(0.05, momentum=0.9, nesterov=True)",
            "Adam(0.01)",
        ]
    ),
    batch_size=st.integers(1, 9),
)
def test_the_reference_agrees_with_a_backend_on_any_small_network(
    check, units, hidden, end, optimizer, batch_size
):
    last, loss = end
    layers = [f"Dense({count}, {hidden!r})" for count in units]
    targets = {"'mse'": "x[:, :2]", "'binary_crossentropy'": "(x[:, :1] > 0).astype('float32')"}
    verdict = check(
        f"""
import keras, numpy as np
from keras.layers import Dense
from keras.optimizers import SGD, Adam

FIT = {{"batch_size": {batch_size}, "epochs": 2}}

def build():
    model = keras.Sequential([keras.Input((4,)), {", ".join([*layers, last])}])
    model.compile({optimizer}, {loss})
    return model

def data(seed):
    x = np.random.default_rng(seed).normal(size=(20, 4)).astype("float32")
    return x, {targets.get(loss, "(np.abs(x[:, 0]) * 2 % 3).astype('int32')")}
""",
        backends=("tensorflow",),
        dtype="float32",
    )
    assert verdict.source == "the NumPy reference"
    assert outcomes(verdict) == {"tensorflow": "agrees"}, causes(verdict, "tensorflow")


def test_other_layers_are_compared_with_the_backends_own_float64(check):
    layers = (
        "L.Dense(8, kernel_regularizer='l2'), L.BatchNormalization(), L.ReLU(), L.Dropout(0.5),"
        " L.Dense(2, 'softmax')"
    )
    model = f"[keras.Input((3,)), {layers}]"
    text = WORKLOAD.replace("from keras import ops", "from keras import layers as L, ops")
    verdict = check(re.sub(r"layers = \[keras.*\n", f"layers = {model}\n", text))
    assert "the median of the float64 runs of tensorflow, jax, torch" in verdict.source
    assert set(outcomes(verdict).values()) == {"agrees"}, [
        causes(verdict, each) for each in outcomes(verdict)
    ]
    assert any("switched off" in remark for remark in verdict.remarks)


def test_a_backend_that_cannot_train_in_float64_is_compared_with_those_that_can(check):
    model = "[keras.Input((3,)), L.Reshape((3, 1)), L.SimpleRNN(4), L.Dense(2, 'softmax')]"
    text = WORKLOAD.replace("from keras import ops", "from keras import layers as L, ops")
    verdict = check(re.sub(r"layers = \[keras.*\n", f"layers = {model}\n", text))
    assert "the median of the float64 runs of tensorflow, torch (" in verdict.source
    assert set(outcomes(verdict).values()) == {"agrees"}


def test_tensorflow_treats_repeated_tokens_as_the_documentation_says(check):
    verdict = check(str(PROJECT / "docs" / "examples" / "repeated_tokens.py"))
    assert outcomes(verdict) == {"tensorflow": "differs", "jax": "agrees", "torch": "agrees"}
    (cause,) = causes(verdict, "tensorflow")
    assert "the training step (train_step), in embedding/embeddings" in cause


def test_a_tolerance_lets_a_small_fault_pass(check):
    text = WORKLOAD.replace("# here", LAYER_OFF)
    assert outcomes(check(text, backends=("torch",), tolerance=1e-3)) == {"torch": "agrees"}


def test_of_two_backends_without_a_reference_nobody_can_say_which_is_off(check):
    text = WORKLOAD.replace("# here", LAYER_CLASS_OFF)
    verdict = check(text, backends=("jax", "torch"))
    assert outcomes(verdict) == {"jax": "differs", "torch": "differs"}
    assert not verdict.knows_who


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (
            "OPTIMIZER = keras.optimizers.SGD(0.0101 if BACKEND == 'jax' else 0.01)\n",
            "in epoch 1, step 1: the optimizer's learning_rate .* learning_rate=0.0",
        ),
        (
            "Hidden = lambda *a, **k: keras.Sequential([Dense(5), keras.layers.Dropout("
            "0.5 if BACKEND == 'jax' else 0.4)], name='hidden')\n",
            "before the training: hidden is switched off here, but it is built with layers=",
        ),
    ],
    ids=["learning rate", "dropout"],
)
def test_a_setting_that_differs_is_named_where_it_is(check, fault: str, named: str):
    verdict = check(WORKLOAD.replace("# here", fault))
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "differs", "torch": "agrees"}
    assert re.search(named, causes(verdict, "jax")[0])


def test_what_a_model_itself_does_to_its_last_layers_output_is_part_of_the_loss(check):
    fault = """
class Model(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.first, self.last = Dense(5, "relu"), Dense(2)

    def call(self, x):
        return ops.softmax(self.last(self.first(x)))
"""
    text = WORKLOAD.replace("# here", fault)
    assert set(outcomes(check(text)).values()) == {"agrees"}


def test_a_backend_that_cannot_be_checked_leaves_the_others(check):
    text = WORKLOAD.replace(
        "# here", "if BACKEND == 'torch':\n    import os; os.kill(os.getpid(), 9)"
    )
    verdict = check(text)
    assert outcomes(verdict) == {"tensorflow": "agrees", "jax": "agrees", "torch": "unchecked"}
    (torch,) = (each for each in verdict.backends if each.backend == "torch")
    assert "SIGKILL" in torch.failure
    assert torch.exit_code == 5


@pytest.mark.parametrize(("bytes_short", "outcome"), [(1, "unchecked"), (0, "agrees")])
def test_a_step_has_the_numbers_of_variables_and_layers(
    check, monkeypatch, bytes_short: int, outcome: str
):
    # Weights, two moments of each, the count of steps and the learning rate; for each of ten
    # examples, what goes into and comes out of the layers. And as much for the training around.
    numbers = 3 * (3 * 5 + 5 + 5 * 2 + 2) + 2 + 10 * (3 + 5 + 5 + 2)
    available_bytes = 2 * numbers * BYTES_PER_NUMBER - bytes_short
    monkeypatch.setattr(
        "keras_bench.measure.parity.available_memory_bytes", lambda: available_bytes
    )
    assert outcomes(check(WORKLOAD, ("jax",))) == {"jax": outcome}


def test_the_command_prints_where_they_part_writes_the_series_and_fails(
    run_cli, stoppable_pythons, tmp_path: Path
):
    file = tmp_path / "mine.py"
    two_epochs = WORKLOAD.replace('"epochs": 1', '"epochs": 2')
    file.write_text(two_epochs.replace("# here", LAYER_OFF))
    envs = [f"--env={backend}={python}" for backend, python in stoppable_pythons.items()]
    answer = run_cli("parity", str(file), "--json=parity.json", *envs)
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "- jax agrees to rounding" in answer.stdout
    assert (
        "- torch parts from the reference in epoch 1, step 1: the output of layer hidden"
        in answer.stdout
    )
    document = json.loads((tmp_path / "cwd" / "parity.json").read_text())
    (workload,) = document["workloads"]
    assert [row["epoch"] for row in workload["epoch_losses"]] == [1, 2]
    assert workload["epoch_losses"]
    for row in workload["epoch_losses"]:
        assert row["jax"] == pytest.approx(row["reference"], rel=row["rounding_bound"])
    steps = [(row["epoch"], row["step"]) for row in workload["running_losses"]]
    assert set(steps) == {(1, 1), (1, 2), (1, 3), (2, 1), (2, 3)}
