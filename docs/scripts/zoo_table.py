"""Prints the table of models/README.md, from the workloads themselves; needs Keras and JAX.

Run it as `KERAS_BACKEND=jax python docs/scripts/zoo_table.py`.
"""

import importlib
import re
import sys
from pathlib import Path

import jax
import keras

PROJECT = Path(__file__).parents[2]
sys.path += [str(PROJECT / "bench"), str(PROJECT / "models")]

from keras_bench.measure.workloads import shipped  # noqa: E402

HEADING = """\
| workload | what | layers | parameters | FLOPs per example | it stresses | tags |
| --- | --- | --- | --- | --- | --- | --- |"""


def row(name: str) -> str:
    """Return a workload's row: what its docstring says, and what its model counts."""
    workload = importlib.import_module(name)
    summary = (workload.__doc__ or "").partition("\n")[0].rstrip(".")
    stresses = re.findall(r"It stresses (.*?)\.$", workload.__doc__ or "", re.DOTALL | re.MULTILINE)
    model = workload.build()
    cells = (
        f"`{name}`",
        summary,
        ", ".join(described(layer) for layer in model.layers),
        f"{model.count_params():,}",
        f"{forward_flops(model, *workload.data(0)):,.0f}",
        " ".join(stresses[0].split()),
        ", ".join(workload.TAGS),
    )
    return f"| {' | '.join(cells)} |"


def described(layer: keras.layers.Layer) -> str:
    """Return a layer's class with its size, where it has one."""
    sizes = ("units", "filters", "output_dim")
    size = next((getattr(layer, each) for each in sizes if hasattr(layer, each)), "")
    return f"{type(layer).__name__} {size}".rstrip()


def forward_flops(model: keras.Model, x, y) -> float:
    """Return the operations of a forward pass, as XLA counts them, per example of a batch of 64."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN):
            layer.unroll = True  # XLA counts the body of a loop once, however often it runs.
    weights = [variable.value for variable in model.trainable_variables]
    state = [variable.value for variable in model.non_trainable_variables]

    def forward(weights, state, x):
        return model.stateless_call(weights, state, x, training=False)[0]

    batch = x[:64]
    return jax.jit(forward).lower(weights, state, batch).cost_analysis()["flops"] / len(batch)


if __name__ == "__main__":
    print("\n".join([HEADING, *map(row, shipped())]))
