"""Blueprints as Keras gives them, and tiny trainings of which a test names what it is about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_bench.parity.arithmetic import Arithmetic
from keras_bench.parity.blueprint import Blueprint, DataArray, Layer, Part, Weight
from keras_bench.parity.network import Network, covered
from keras_bench.parity.places import Place
from keras_bench.parity.reference import Step, start, take_step
from keras_bench.parity.training import Reference, Training, plan_training

DTYPE_POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}
GLOROT = Part("keras.GlorotUniform", {"seed": None, "input_axes": None, "output_axes": None})
ZEROS = Part("keras.Zeros", {})

SPARSE = Part("keras.sparse_categorical_crossentropy", {})
SQUARED = Part("keras.mean_squared_error", {})

KERNEL, BIAS = "dense/kernel", "dense/bias"
LAST_KERNEL, LAST_BIAS = "dense_1/kernel", "dense_1/bias"


def sgd(learning_rate: float = 0.05, **config: Any) -> Part:
    own = {"momentum": 0.0, "nesterov": False}
    return Part("keras.SGD", _optimizer("sgd", learning_rate, **own | config))


def adam(learning_rate: float = 0.01, **config: Any) -> Part:
    own = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False}
    return Part("keras.Adam", _optimizer("adam", learning_rate, **own | config))


def loss(kind: str, from_logits: bool = False, **config: Any) -> Part:
    """Return a loss given by its class."""
    defaults = {"name": "a_loss", "reduction": "sum_over_batch_size", "from_logits": from_logits}
    return Part(f"keras.{kind}", defaults | config)


def dense(number: int, units: int, activation: str, use_bias: bool = True, **config: Any) -> Layer:
    name = f"dense_{number}" if number else "dense"
    defaults = {
        "name": name,
        "trainable": True,
        "dtype": DTYPE_POLICY,
        "units": units,
        "activation": activation,
        "use_bias": use_bias,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": GLOROT.config},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
        "quantization_config": None,
    }
    weights = (f"{name}/kernel", *([f"{name}/bias"] if use_bias else []))
    return Layer(name, Part("keras.Dense", defaults | config), weights)


def activation_layer(name: str, activation: str) -> Layer:
    config = {"name": name, "trainable": True, "dtype": DTYPE_POLICY, "activation": activation}
    return Layer(name, Part("keras.Activation", config), ())


def blueprint(
    sizes: Sequence[int] = (3, 5, 2),
    activations: Sequence[str] = ("relu", "softmax"),
    optimizer: Part | None = None,
    use_bias: bool = True,
    apart: bool = False,
    **changes: Any,
) -> Blueprint:
    """Return a stack of dense layers; with `apart`, each activation is a layer of its own."""
    optimizer = optimizer or sgd()
    layers: list[Layer] = []
    weights: list[Weight] = []
    for number, (inputs, units, activation) in enumerate(
        zip(sizes[:-1], sizes[1:], activations, strict=True)
    ):
        layers.append(dense(number, units, "linear" if apart else activation, use_bias))
        if apart:
            layers.append(activation_layer(f"activation_{number}", activation))
        kernel = f"dense_{number}/kernel" if number else KERNEL
        weights.append(Weight(kernel, (inputs, units), True, GLOROT))
        if use_bias:
            bias = kernel.removesuffix("kernel") + "bias"
            weights.append(Weight(bias, (units,), True, ZEROS))
    defaults = {
        "model": "keras.Sequential",
        "dtype": "float32",
        "layers": tuple(layers),
        "weights": tuple(weights),
        "optimizer": optimizer,
        "optimizer_variables": _variables(optimizer, [weight.path for weight in weights]),
        "losses": (SPARSE,),
        "batch_size": 5,
        "epochs": 2,
        "shuffle": True,
        "data": (DataArray("x", (13, sizes[0]), "of x"), DataArray("y", (13,), "of y")),
        "arrays_file": "arrays.npz",
        "step_numbers": 1000,
        "random_layers": (),
        "left_out": (),
    }
    return Blueprint(**defaults | changes)


def examples(described: Blueprint, count: int = 13, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 inputs and targets that fit the model and its loss."""
    random = np.random.default_rng([seed, 7])
    kernels = [weight.shape for weight in described.weights if len(weight.shape) == 2]
    inputs, outputs = kernels[0][0], kernels[-1][1]
    kind = described.losses[0].kind.lower()
    classes = random.integers(outputs, size=count)
    if "sparse" in kind:
        y = classes.astype("int32")
    elif "binary" in kind:
        y = random.integers(2, size=(count, outputs)).astype("float32")
    elif "categorical" in kind:
        y = np.eye(outputs, dtype="float32")[classes]
    else:
        y = random.normal(size=(count, outputs)).astype("float32")
    return random.normal(size=(count, inputs)).astype("float32"), y


def training(
    described: Blueprint | None = None,
    count: int = 13,
    dtype: str = "float32",
    seed: int = 0,
    **options: Any,
) -> Training:
    described = described or blueprint()
    x, y = examples(described, count, seed)
    planned = plan_training(described, {"x": x, "y": y}, dtype, seed, **options)
    # Keras's zeros would hide what a wrong bias does.
    random = np.random.default_rng([seed, 8])
    biases = {
        path: random.normal(size=array.shape) / 3
        for path, array in planned.initial.items()
        if path.endswith("bias")
    }
    return replace(planned, initial=planned.initial | biases)


def first_step(
    described: Blueprint, count: int = 6, seed: int = 0, arithmetic: Arithmetic | None = None
) -> tuple[Network, Training, dict[str, np.ndarray], Step]:
    """Return a network, its training, the state it starts from, and its first step."""
    arithmetic = arithmetic or Arithmetic()
    network = covered(described)
    planned = training(described, count, seed=seed)
    state = start(network, planned.initial, arithmetic)
    return (
        network,
        planned,
        state,
        take_step(network, state, planned.x, planned.y, arithmetic),
    )


def pretended(reference: Reference) -> dict[Place, np.ndarray]:
    """Return what a backend would show that does everything as the reference does."""
    return {place: np.array(reference.arrays[place]) for place in reference.spread}


def _optimizer(name: str, learning_rate: float, **own: Any) -> dict[str, Any]:
    return {
        "name": name,
        "learning_rate": learning_rate,
        "weight_decay": None,
        "clipnorm": None,
        "global_clipnorm": None,
        "clipvalue": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
    } | own


def _variables(optimizer: Part, weights: Sequence[str]) -> tuple[str, ...]:
    slots = ["momentum"] if optimizer.config.get("momentum") else []
    if optimizer.kind == "keras.Adam":
        slots = ["momentum", "velocity"]
    own = (f"optimizer/{path.replace('/', '_')}_{slot}" for path in weights for slot in slots)
    return ("optimizer/iteration", "optimizer/learning_rate", *own)
