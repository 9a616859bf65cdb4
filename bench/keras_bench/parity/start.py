"""What every backend starts from: initial weights and the order of the batches, from a seed."""

import math
from collections.abc import Mapping

import numpy as np

from keras_bench.parity.blueprint import Blueprint, Part, Weight

Array = np.ndarray

#: The standard deviation of a standard normal distribution that is cut off at ±2.
TRUNCATED_NORMAL_DEVIATION = 0.87962566103423978


def initial_weights(
    blueprint: Blueprint, own: Mapping[str, Array], seed: int
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return an initial value for each weight, and the weights whose initializer isn't known.

    Those get the values that a backend has given them itself (`own`, by path).
    """
    weights: dict[str, Array] = {}
    unknown = []
    for index, weight in enumerate(blueprint.weights):
        random = np.random.default_rng([seed, index])
        drawn = _draw(weight.initializer, weight, random) if weight.initializer else None
        if drawn is None:
            unknown.append(weight.path)
            drawn = own[weight.path]
        weights[weight.path] = drawn
    return weights, tuple(unknown)


def orders(
    blueprint: Blueprint, examples: int, epochs: int, most_steps: int | None, seed: int
) -> list[Array]:
    """Return the examples of each epoch in their order, a permutation where fit shuffles.

    It is the same for all epochs: one call of `fit` that doesn't shuffle trains them. With
    `most_steps`, an epoch ends after so many batches.
    """
    random = np.random.default_rng([seed, 0x0BDE])
    order = random.permutation(examples) if blueprint.shuffle else np.arange(examples)
    end = examples if most_steps is None else most_steps * blueprint.batch_size
    return [order[:end]] * epochs


def _draw(initializer: Part, weight: Weight, random: np.random.Generator) -> Array | None:
    """Draw from an initializer's distribution, with its scale; None where it isn't known."""
    config, shape = initializer.config, weight.shape
    kind = initializer.kind.removeprefix("keras.")
    if kind == "Zeros":
        return np.zeros(shape)
    if kind == "Ones":
        return np.ones(shape)
    if kind == "Constant" and isinstance(config.get("value"), int | float):
        return np.full(shape, float(config["value"]))
    if kind == "RandomNormal":
        return random.normal(config["mean"], config["stddev"], shape)
    if kind == "TruncatedNormal":
        return np.asarray(config["mean"] + config["stddev"] * _truncated_normal(shape, random))
    if kind == "RandomUniform":
        return random.uniform(config["minval"], config["maxval"], shape)
    if kind == "Orthogonal" and len(shape) > 1:
        return float(config["gain"]) * _orthogonal(shape, random)
    scaling = _variance_scaling(kind, config)
    if scaling is None or not shape:
        return None
    scale, mode, distribution = scaling
    fan_in, fan_out = _fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return random.uniform(-limit, limit, shape)
    if distribution == "untruncated_normal":
        return random.normal(0.0, math.sqrt(variance), shape)
    return math.sqrt(variance) / TRUNCATED_NORMAL_DEVIATION * _truncated_normal(shape, random)


def _variance_scaling(kind: str, config: Mapping[str, object]) -> tuple[float, str, str] | None:
    """Return scale, mode and distribution.

    Sources: Glorot and Bengio (AISTATS 2010), He et al. (ICCV 2015), LeCun et al. (1998).
    """
    families = {"Glorot": (1.0, "fan_avg"), "He": (2.0, "fan_in"), "Lecun": (1.0, "fan_in")}
    if kind == "VarianceScaling":
        scale, mode = config["scale"], config["mode"]
        return float(str(scale)), str(mode), str(config["distribution"])
    for family, (scale, mode) in families.items():
        if kind == f"{family}Uniform":
            return scale, mode, "uniform"
        if kind == f"{family}Normal":
            return scale, mode, "truncated_normal"
    return None


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return the connections that enter and leave a neuron; the last two axes are channels."""
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def _truncated_normal(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    drawn = random.normal(size=shape)
    while (far := np.abs(drawn) > 2.0).any():
        drawn[far] = random.normal(size=int(far.sum()))
    return drawn


def _orthogonal(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    rows, columns = math.prod(shape[:-1]), shape[-1]
    basis, triangle = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
    basis *= np.sign(np.diag(triangle))
    return (basis if rows >= columns else basis.T).reshape(shape)
