"""The networks that the NumPy reference covers, read from a blueprint."""

from collections.abc import Mapping
from dataclasses import dataclass

from keras_bench.parity import blueprint as blueprints
from keras_bench.parity.blueprint import Blueprint, Part

ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax")
CROSS_ENTROPIES = {
    "sparse_categorical_crossentropy": "sparse categorical",
    "SparseCategoricalCrossentropy": "sparse categorical",
    "categorical_crossentropy": "categorical",
    "CategoricalCrossentropy": "categorical",
    "binary_crossentropy": "binary",
    "BinaryCrossentropy": "binary",
}
SQUARED_ERRORS = ("mean_squared_error", "MeanSquaredError")

#: Settings that must be as they are here, where a configuration has them at all.
PLAIN_DENSE = {
    "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
    "kernel_constraint": None, "bias_constraint": None, "lora_rank": None,
    "quantization_config": None, "trainable": True,
}  # fmt: skip
PLAIN_OPTIMIZER = {
    "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None,
    "use_ema": False, "loss_scale_factor": None, "gradient_accumulation_steps": None,
    "amsgrad": False,
}  # fmt: skip
PLAIN_LOSS = {
    "reduction": "sum_over_batch_size", "axis": -1, "label_smoothing": 0.0, "ignore_class": None,
    "loss_weights": None,
}  # fmt: skip


class NotCovered(Exception):
    """Says what of a model the reference doesn't cover."""


@dataclass(frozen=True)
class Layer:
    """activation(x · kernel + bias); without a kernel, the activation alone. Weights by path."""

    name: str
    activation: str
    kernel: str | None = None
    bias: str | None = None


@dataclass(frozen=True)
class Loss:
    """A mean over the examples of a batch.

    `kind` is "sparse categorical", "categorical" or "binary" cross-entropy, or "squared error".
    With `from_logits`, a softmax (or sigmoid) comes before it.
    """

    kind: str
    from_logits: bool = False


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with momentum where it isn't 0."""

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba's Adam, with the epsilon hat of the formula before their section 2.1."""

    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float


@dataclass(frozen=True)
class Network:
    """A stack of layers with its loss and optimizer, and the names of the optimizer's variables.

    `slots` gives the path of the optimizer's variable by what it holds ("momentum" or
    "velocity") and the path of the weight it belongs to.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: SGD | Adam
    slots: dict[tuple[str, str], str]
    iterations: str
    learning_rate: str

    @property
    def weights(self) -> tuple[str, ...]:
        """The paths of all weights, in the order of the layers."""
        paths = (path for layer in self.layers for path in (layer.kernel, layer.bias))
        return tuple(path for path in paths if path is not None)


def covered(blueprint: Blueprint) -> Network:
    """Return the network of a blueprint; raise NotCovered for what the reference doesn't know."""
    if blueprint.model != "keras.Sequential":
        raise NotCovered(f"a model of the class {blueprint.model}")
    if blueprint.random_layers:
        raise NotCovered(f"the random layer {blueprint.random_layers[0]}")
    if len(blueprint.losses) != 1:
        raise NotCovered(f"{len(blueprint.losses)} losses")
    layers = tuple(_layer(layer, blueprint.dtype) for layer in blueprint.layers)
    optimizer = _optimizer(blueprint.optimizer)
    slots, others = {}, {}
    for path in blueprint.optimizer_variables:
        name = path.rpartition("/")[2]
        owner = next(
            (
                (slot, weight.path)
                for weight in blueprint.weights
                for slot in ("momentum", "velocity")
                if name == f"{weight.path.replace('/', '_')}_{slot}"
            ),
            None,
        )
        if owner is None:
            others[name] = path
        else:
            slots[owner] = path
    if set(others) != {"iteration", "learning_rate"}:
        raise NotCovered(f"the optimizer's variables {', '.join(sorted(others))}")
    loss = _loss(blueprint.losses[0])
    names = [array.name for array in blueprint.data]
    if names != ["x", "y"]:
        raise NotCovered(f"data of {', '.join(names)}")
    axes = len(blueprint.data[0].shape)
    if axes != 2:
        raise NotCovered(f"data of {axes} axes")
    ends = {"binary": ("sigmoid", "softmax")}.get(loss.kind, ("softmax",))
    last = layers[-1].activation
    if loss.kind != "squared error" and not loss.from_logits and last not in ends:
        # Keras makes probabilities of any output, by its sum or by cutting it off.
        raise NotCovered(f"a cross-entropy of the activation {last}")
    return Network(layers, loss, optimizer, slots, others["iteration"], others["learning_rate"])


def _layer(layer: blueprints.Layer, dtype: str) -> Layer:
    name, part, weights = layer.name, layer.part, layer.weights
    policy = part.config.get("dtype")
    policy = policy["config"]["name"] if isinstance(policy, dict) else policy
    if policy not in (None, dtype):
        raise NotCovered(f"the precision {policy} of {name}")
    activation = part.config.get("activation")
    if part.kind not in ("keras.Dense", "keras.Activation"):
        raise NotCovered(f"the layer {name} of the class {part.kind}")
    if activation not in ACTIVATIONS:
        raise NotCovered(f"the activation {activation} of {name}")
    _refuse_others(f"of {name}", part, PLAIN_DENSE)
    if part.kind == "keras.Activation":
        return Layer(name, activation)
    return Layer(name, activation, weights[0], weights[1] if part.config["use_bias"] else None)


def _loss(part: Part) -> Loss:
    kind = part.kind.removeprefix("keras.")
    _refuse_others("of the loss", part, PLAIN_LOSS)
    if part.kind.startswith("keras.") and kind in SQUARED_ERRORS:
        return Loss("squared error")
    if part.kind.startswith("keras.") and kind in CROSS_ENTROPIES:
        return Loss(CROSS_ENTROPIES[kind], bool(part.config.get("from_logits", False)))
    raise NotCovered(f"the loss {part.kind}")


def _optimizer(part: Part) -> SGD | Adam:
    config = part.config
    _refuse_others("of the optimizer", part, PLAIN_OPTIMIZER)
    if part.kind not in ("keras.SGD", "keras.Adam"):
        raise NotCovered(f"the optimizer {part.kind}")
    if not isinstance(config["learning_rate"], float):
        raise NotCovered("a learning-rate schedule")
    if part.kind == "keras.SGD":
        return SGD(config["learning_rate"], config["momentum"], config["nesterov"])
    names = ("learning_rate", "beta_1", "beta_2", "epsilon")
    return Adam(*(config[name] for name in names))


def _refuse_others(whose: str, part: Part, plain: Mapping[str, object]) -> None:
    for name, setting in plain.items():
        if part.config.get(name, setting) != setting:
            found = part.config[name]
            found = found.get("class_name", found) if isinstance(found, dict) else found
            raise NotCovered(f"{name}={found} {whose}")
