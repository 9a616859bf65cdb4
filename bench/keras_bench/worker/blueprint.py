"""Describes a workload's compiled model, and its data, to the coordinator."""

import hashlib
import inspect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_bench.loops.keras_private import (
    layers_of,
    loss_weights,
    own_variables,
    seed_generators,
)
from keras_bench.parity.blueprint import Blueprint, DataArray, Layer, Part, Weight
from keras_bench.worker.compared_data import Examples
from keras_bench.worker.data import batch_size
from keras_bench.worker.fit_settings import epoch_count

#: Fit settings that a check takes over, or that don't change what is trained.
KNOWN_FIT_SETTINGS = {
    "batch_size", "class_weight", "epochs", "initial_epoch", "sample_weight", "shuffle",
    "validation_batch_size", "validation_data", "validation_freq", "validation_steps",
}  # fmt: skip


def describe(
    keras: Any,
    model: Any,
    examples: Examples,
    fit_settings: Mapping[str, Any],
    arrays_file: Path,
    step_numbers: int,
) -> Blueprint:
    """Return the blueprint of a built model, and write the arrays that go with it."""
    names = variable_names(model)
    own = {f"own/{names[id(each)]}": np.asarray(value(keras, each)) for each in model.weights}
    np.savez(arrays_file, **{**examples.named(), **own})  # type: ignore[arg-type]
    layers = list(own_layers(keras, model))
    return Blueprint(
        model=_kind(type(model)),
        dtype=keras.config.floatx(),
        layers=tuple(
            Layer(layer.name, _part(layer), tuple(names[id(weight)] for weight in layer.weights))
            for layer in layers
        ),
        weights=tuple(
            Weight(
                names[id(weight)],
                tuple(weight.shape),
                bool(weight.trainable),
                _initializer(layers, weight),
            )
            for weight in model.weights
        ),
        optimizer=_part(model.optimizer),
        optimizer_variables=tuple(names[id(each)] for each in model.optimizer.variables),
        losses=tuple(
            _loss(keras, model, loss)
            for loss in keras.tree.flatten(model.loss)
            if loss is not None  # A model may add its loss in its call.
        ),
        batch_size=batch_size(fit_settings),
        epochs=epoch_count(fit_settings),
        shuffle=bool(fit_settings.get("shuffle", True)),
        data=tuple(
            DataArray(name, tuple(array.shape), _sha256(array))
            for name, array in examples.named().items()
        ),
        arrays_file=str(arrays_file),
        step_numbers=step_numbers,
        random_layers=tuple(layer.name for layer in layers if random_layers(layer)),
        left_out=tuple(sorted(set(fit_settings) - KNOWN_FIT_SETTINGS)),
    )


def variable_names(model: Any) -> dict[int, str]:
    """Return a name for each weight, seed and variable of the optimizer, by its identity.

    Those are their paths without the names of the model and of the optimizer, which a backend
    may have chosen a class of its own for.
    """
    names: dict[int, str] = {}
    times: Counter[str] = Counter()

    def add(variable: Any, name: str) -> None:
        times[name] += 1  # Two layers may bear one name.
        names[id(variable)] = name if times[name] == 1 else f"{name}#{times[name]}"

    for variable in model.variables:
        add(variable, variable.path.removeprefix(f"{model.name}/"))
    for variable in model.optimizer.variables:
        name = variable.path.rpartition("/")[2].removeprefix(f"{model.name}_")
        add(variable, f"optimizer/{name}")
    return names


def own_layers(keras: Any, model: Any) -> Iterator[Any]:
    """Yield the layers that the model itself holds, without its inputs."""
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            yield layer


def random_layers(layer: Any) -> list[Any]:
    """Return those of a layer and of the layers inside it that draw random numbers themselves."""
    return [
        each
        for each in layers_of(layer)
        if seed_generators(each)
        # A recurrent layer has a generator even where it drops nothing.
        and not (getattr(each, "dropout", 1.0) == 0.0 == getattr(each, "recurrent_dropout", 0.0))
    ]


def takes_training(layer: Any) -> bool:
    """Tell whether a layer can be told that it isn't training."""
    return "training" in inspect.signature(layer.call).parameters


def value(keras: Any, variable: Any) -> Any:
    """Return the value of a Keras variable as an array."""
    return keras.ops.convert_to_numpy(variable)


def _kind(of: type) -> str:
    owner = of.__module__.partition(".")[0]
    return f"keras.{of.__name__}" if owner == "keras" else f"{of.__module__}.{of.__name__}"


def _part(thing: Any) -> Part:
    try:
        config = _plain(thing.get_config())
    except NotImplementedError:  # A layer of the user's own, with arguments and no get_config.
        config = {}
    return Part(_kind(type(thing)), config)


def _loss(keras: Any, model: Any, loss: Any) -> Part:
    found = keras.losses.get(loss) if isinstance(loss, str) else loss
    weights = loss_weights(model)
    settings = {} if weights is None else {"loss_weights": _plain(weights)}
    if isinstance(found, keras.losses.Loss):
        part = _part(found)
        return Part(part.kind, part.config | settings)
    owner, name = found.__module__ or "", getattr(found, "__name__", type(found).__name__)
    return Part(f"{'keras' if owner.partition('.')[0] == 'keras' else owner}.{name}", settings)


def _initializer(layers: Sequence[Any], weight: Any) -> Part | None:
    """Return what the layer's configuration says of a weight: `kernel_initializer` of `kernel`."""
    inside = [each for layer in layers for each in layers_of(layer)]
    for layer in inside:
        if any(each is weight for each in own_variables(layer)):
            names = (weight.name, weight.name.removesuffix("_kernel"))
            found = (_part(layer).config.get(f"{name}_initializer") for name in names)
            config = next((each for each in found if each is not None), None)
            if isinstance(config, dict) and str(config.get("module")).startswith("keras."):
                return Part(f"keras.{config['class_name']}", config["config"])
    return None


def _plain(value: Any) -> Any:
    """Return a configuration as JSON has it; what it doesn't have becomes text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _sha256(array: Any) -> str:
    content = np.ascontiguousarray(array)
    header = f"{content.dtype} {content.shape} ".encode()
    return hashlib.sha256(header + content.tobytes()).hexdigest()
