"""What the bare loops take of a compiled Keras model, and which models they aren't written for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import keras
import numpy as np

from keras_bench.loops import keras_private
from keras_bench.loops.refusals import LoopRefusal

#: The losses, with the activation of the last layer that each needs; None: any.
LOSSES = {
    "sparse_categorical_crossentropy": "softmax",
    "binary_crossentropy": "sigmoid",
    "mean_squared_error": None,
}

#: The activations of layers; softmax is for the last alone, and for its loss.
ACTIVATIONS = ("relu", "sigmoid", "tanh", "linear", "softmax")

#: The metrics that "accuracy" stands for, with the losses that each is for.
ACCURACIES = {
    "SparseCategoricalAccuracy": ("sparse_categorical_crossentropy",),
    "BinaryAccuracy": ("binary_crossentropy", "mean_squared_error"),
}

#: What the settings of a layer, an optimizer and a loss must be.
PLAIN: dict[str, dict[str, Any]] = {
    "layer": {
        "use_bias": True,
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
        "lora_rank": None,
        "quantization_config": None,
    },
    "optimizer": {
        "weight_decay": None,
        "clipnorm": None,
        "global_clipnorm": None,
        "clipvalue": None,
        "use_ema": False,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
        "nesterov": False,
        "amsgrad": False,
    },
    "loss": {
        "from_logits": False,
        "label_smoothing": 0.0,
        "ignore_class": None,
        "axis": -1,
        "reduction": "sum_over_batch_size",
    },
    "accuracy": {"threshold": 0.5},
}


@dataclass(frozen=True)
class Sgd:
    """Gradient descent, with momentum where that isn't 0."""

    momentum: float


@dataclass(frozen=True)
class Adam:
    """Adam; epsilon is added to the root of the velocity before its bias is corrected."""

    beta_1: float
    beta_2: float
    epsilon: float


@dataclass(frozen=True)
class Network:
    """A stack of Dense layers with biases: an activation for each, and how they are trained.

    Probabilities within the logarithms of a cross-entropy are kept `clip` away from 0 and 1.
    """

    activations: tuple[str, ...]
    outputs: int
    loss: str
    accuracy: bool
    optimizer: Sgd | Adam
    floatx: str
    clip: float

    @property
    def has_classes(self) -> bool:
        """Whether a label is the number of a class, and not a value for each output."""
        return self.loss == "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Variables:
    """The variables of a Keras model that a training changes.

    `weights` are a kernel of shape (inputs, outputs) and a bias for each layer in turn, `slots`
    what the optimizer keeps of them: momentums, then velocities. `metrics` are a total and a
    count of the loss and, where there is one, of the accuracy, with their names.
    """

    weights: tuple[Any, ...]
    slots: tuple[tuple[Any, ...], ...]
    iterations: Any
    learning_rate: Any
    metrics: tuple[Any, ...]
    names: tuple[str, ...]

    def logs(self) -> dict[str, float]:
        """Return the mean of each metric, by its name."""
        values = [keras.ops.convert_to_numpy(each) for each in self.metrics]
        pairs = zip(self.names, values[::2], values[1::2], strict=True)
        return {name: float(total / count) for name, total, count in pairs}


def network_of(model: Any) -> Network:
    """Read a built and compiled model.

    Raises:
        LoopRefusal: it is more than this is written for.
    """
    if not _is_keras(model, "Sequential"):
        _refuse(f"is no keras.Sequential but {type(model).__name__}")
    compiled = model.get_compile_config()
    if compiled["loss_weights"] or compiled["weighted_metrics"]:
        _refuse("has weights of its losses, or weighted metrics")
    floatx = keras.config.floatx()
    if {str(each.dtype) for each in model.weights} != {floatx} or _policies(model) != {floatx}:
        _refuse(f"isn't all in {floatx}")
    activations = _activations(model)
    loss = _loss(compiled["loss"])
    if LOSSES[loss] not in (None, activations[-1]):
        _refuse(f"has {activations[-1]} before {loss}, and not {LOSSES[loss]}")
    if "softmax" in activations[:-1] or (activations[-1] == "softmax" and LOSSES[loss] is None):
        _refuse("has softmax where no cross-entropy follows")
    metrics = _metrics(model)
    for metric in metrics[1:]:
        kind = type(metric).__name__
        if len(metrics) > 2 or loss not in ACCURACIES.get(kind, ()):
            _refuse(f"has the metric {metric.name} ({kind})")
        _check_plain("accuracy", metric.get_config())
    return Network(
        activations=activations,
        outputs=model.output_shape[-1],
        loss=loss,
        accuracy=len(metrics) > 1,
        optimizer=_optimizer(model.optimizer, compiled["optimizer"]["config"]),
        floatx=floatx,
        clip=keras.config.epsilon(),
    )


def variables_of(model: Any) -> Variables:
    """Return the variables of a model that `network_of` can read."""
    optimizer = model.optimizer
    adam = isinstance(optimizer, keras.optimizers.Adam)
    slots = keras_private.adam_slots(optimizer) if adam else (optimizer.momentums,)
    metrics = _metrics(model)
    return Variables(
        weights=tuple(model.trainable_variables),
        slots=tuple(tuple(each) for each in slots if each),
        iterations=optimizer.iterations,
        learning_rate=keras_private.learning_rate(optimizer),
        metrics=tuple(each for metric in metrics for each in (metric.total, metric.count)),
        names=tuple(metric.name for metric in metrics),
    )


def arrays_of(network: Network, batches: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return x, and labels of shape (steps, batch size) or (steps, batch size, outputs).

    Raises:
        LoopRefusal: this isn't written for such data.
    """
    if isinstance(batches, tuple) and len(batches) == 3:
        raise LoopRefusal("sample_weight: bare takes none; leave it out, or train with fit")
    if not all(isinstance(each, np.ndarray) for each in batches) or len(batches) != 2:
        raise LoopRefusal("the data: bare takes one array x and one y; train others with fit")
    x, y = batches
    if x.ndim != 3 or not _fits(network, y.shape[2:]):
        raise LoopRefusal(
            f"the data: bare takes x of shape (examples, features) and a label for each of "
            f"{network.outputs} outputs, or a class; train others with fit"
        )
    label = () if network.has_classes else (network.outputs,)
    kind = "int64" if network.has_classes else network.floatx
    return x.astype(network.floatx, copy=False), y.reshape(*y.shape[:2], *label).astype(kind)


def _fits(network: Network, label: tuple[int, ...]) -> bool:
    """Tell whether labels of this shape are one a class, or one an output."""
    one = label in ((), (1,))
    return one if network.has_classes or network.outputs == 1 else label == (network.outputs,)


def _activations(model: Any) -> tuple[str, ...]:
    """Return the activation of each Dense layer, which may be a layer of its own."""
    activations: list[str] = []
    for layer in model.layers:
        config = layer.get_config()
        if not layer.trainable:
            _refuse(f"has {layer.name} frozen")
        if _is_keras(layer, "Dense"):
            _check_plain("layer", config)
            activations.append("linear")
        elif not _is_keras(layer, "Activation") or not activations:
            _refuse(f"has {layer.name} ({type(layer).__name__})")
        if config["activation"] != "linear":
            if activations[-1] != "linear":
                _refuse(f"has two activations, one after the other, at {layer.name}")
            activations[-1] = config["activation"]
        if activations[-1] not in ACTIVATIONS:
            _refuse(f"has the activation {activations[-1]}")
    return tuple(activations)


def _loss(compiled: Any) -> str:
    """Return the name of the loss as it was compiled, a name itself or a configuration."""
    if isinstance(compiled, dict) and str(compiled.get("module")).startswith("keras."):
        _check_plain("loss", compiled["config"])
        compiled = re.sub("(?<=[a-z])(?=[A-Z])", "_", compiled["class_name"]).lower()
    try:
        name = keras.losses.get(compiled).__name__ if isinstance(compiled, str) else ""
    except (ValueError, AttributeError):
        name = ""
    if name not in LOSSES:
        _refuse(f"has the loss {compiled}")
    return name


def _metrics(model: Any) -> list[Any]:
    """Return the metrics of a compiled model, that of the loss first."""
    return [each for metric in model.metrics for each in getattr(metric, "metrics", [metric])]


def _optimizer(optimizer: Any, config: Mapping[str, Any]) -> Sgd | Adam:
    if not _is_keras(optimizer, "SGD", "Adam"):
        _refuse(f"has the optimizer {type(optimizer).__name__}")
    _check_plain("optimizer", config)
    if isinstance(config["learning_rate"], dict):
        _refuse("has a schedule of its learning rate")
    if type(optimizer).__name__ == "SGD":
        return Sgd(config["momentum"])
    return Adam(config["beta_1"], config["beta_2"], config["epsilon"])


def _policies(model: Any) -> set[str]:
    return {layer.dtype_policy.name for layer in model.layers}


def _check_plain(what: str, config: Mapping[str, Any]) -> None:
    for name, value in PLAIN[what].items():
        if config.get(name, value) != value:
            _refuse(f"has {name}={config[name]} in its {what}")


def _is_keras(thing: Any, *names: str) -> bool:
    """Tell whether something is of a class of Keras's own, and not of one made of it."""
    kind = type(thing)
    return kind.__name__ in names and kind.__module__.partition(".")[0] == "keras"


def _refuse(reason: str) -> NoReturn:
    raise LoopRefusal(f"bare is written for plain stacks of Dense layers; this model {reason}")
