"""What the bare loop of a framework was chosen from: the same training, written in several ways.

Run it with the interpreter of a backend's environment, KERAS_BACKEND set, and PYTHONPATH the
repository: `python tests/benchmarks/bare_variants.py [VARIANT...]`. It trains dense_1_16_32_2, and
prints for each variant the first epoch, which carries the compiling, and the median of the later
ones, in CPU time, too. Each runs in a process of its own; nothing else should run meanwhile.
"""

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

EPOCHS = 30
STEPS, BATCH_SIZE = 210, 10
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-4, 0.9, 0.999, 1e-7
#: Keras keeps probabilities within the logarithm this far from 0 and 1.
LOWEST, HIGHEST = math.log(1e-7), math.log(1 - 1e-7)

Epoch = Callable[[], Any]


def batches() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((STEPS, BATCH_SIZE, 1), dtype="float32")
    return x, (x[..., 0] > 0.6).astype("int64")


def bare_steps() -> Any:
    """The steps of the bare loop itself, of a model that is built."""
    from importlib import import_module

    import keras

    sys.path.insert(0, str(Path(__file__).parents[2] / "models"))
    model = import_module("dense_1_16_32_2").build()
    x, y = batches()
    model._symbolic_build(data_batch=(x[0], y[0]))
    return import_module(f"keras_bench.loops.bare.bare_{keras.backend.backend()}").BareSteps(model)


def bare() -> Epoch:
    """The bare loop as it is."""
    steps = bare_steps()
    return lambda: (steps.train(batches()), steps.logs())


# --- PyTorch


def torch_batches() -> Any:
    import torch

    return [torch.from_numpy(each) for each in batches()]


def torch_sequential(**settings: Any) -> Epoch:
    """torch.nn.Sequential, autograd and torch.optim.Adam, as tutorials have them."""
    import torch
    from torch import nn

    network = nn.Sequential(
        nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2)
    )
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, eps=EPSILON, **settings)

    def epoch() -> Any:
        x, y = torch_batches()
        total, hits = torch.zeros(()), torch.zeros(())
        for inputs, labels in zip(x.unbind(), y.unbind(), strict=True):
            optimizer.zero_grad()
            logits = network(inputs)
            logarithms = torch.log_softmax(logits, 1).clamp(LOWEST, HIGHEST)
            loss = nn.functional.nll_loss(logarithms, labels)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += (logits.detach().argmax(1) == labels).sum()
        return total.item(), hits.item()

    return epoch


def torch_compiled(steps: int, products: str, **options: Any) -> Epoch:
    """Steps of functions through torch.compile, so many in a graph, gradients by hand.

    `products` says whether matrices are multiplied by the library or by sums that are fused.
    """
    import torch

    multiply = torch.mm if products == "library" else _by_sums

    def gradients(weights: Any, x: Any, y: Any) -> Any:
        k1, b1, k2, b2, k3, b3 = weights
        h1 = torch.relu(multiply(x, k1) + b1)
        h2 = torch.relu(multiply(h1, k2) + b2)
        logits = multiply(h2, k3) + b3
        logarithms = torch.log_softmax(logits, 1)
        chosen = torch.nn.functional.one_hot(y, 2).to(x.dtype)
        loss = -(chosen * logarithms.clamp(LOWEST, HIGHEST)).sum(1).mean()
        of_chosen = (chosen * logarithms).sum(1, keepdim=True)
        inside = (of_chosen >= LOWEST) & (of_chosen <= HIGHEST)
        g3 = (torch.exp(logarithms) - chosen) * inside / len(x)
        g2 = multiply(g3, k3.t()) * (h2 > 0)
        g1 = multiply(g2, k2.t()) * (h1 > 0)
        pairs = ((x, g1), (h1, g2), (h2, g3))
        both = [(multiply(seen.t(), gradient), gradient.sum(0)) for seen, gradient in pairs]
        return [each for pair in both for each in pair], loss, (logits.argmax(1) == y).sum()

    def several(weights: Any, m: Any, v: Any, number: Any, total: Any, hits: Any, x: Any, y: Any):
        new = [*weights], [*m], [*v]
        for step in range(steps):
            found, loss, right = gradients(new[0], x[step], y[step])
            number = number + 1
            rate = LEARNING_RATE * torch.sqrt(1 - BETA_2**number) / (1 - BETA_1**number)
            triples = list(zip(*new, found, strict=True))
            new = (
                [w - rate * _m(m, g) / (torch.sqrt(_v(v, g)) + EPSILON) for w, m, v, g in triples],
                [_m(m, g) for _, m, _, g in triples],
                [_v(v, g) for _, _, v, g in triples],
            )
            total, hits = total + loss, hits + right
        for old, each in zip((*weights, *m, *v), (*new[0], *new[1], *new[2]), strict=True):
            old.copy_(each)
        return number, total, hits

    program = torch.compile(several, fullgraph=True, options=options or None)
    shapes = ((1, 16), (16,), (16, 32), (32,), (32, 2), (2,))
    weights = [torch.randn(shape) * 0.3 for shape in shapes]
    m, v = ([torch.zeros(shape) for shape in shapes] for _ in range(2))
    state = [torch.zeros(())]

    def epoch() -> Any:
        x, y = (each.unflatten(0, (-1, steps)) for each in torch_batches())
        number, total, hits = state[0], torch.zeros(()), torch.zeros((), dtype=torch.int64)
        with torch.no_grad():
            for inputs, labels in zip(x.unbind(), y.unbind(), strict=True):
                number, total, hits = program(weights, m, v, number, total, hits, inputs, labels)
        state[0] = number
        return total.item(), hits.item()

    return epoch


def _by_sums(a: Any, b: Any) -> Any:
    return (a[:, :, None] * b[None]).sum(1)


def _m(m: Any, gradient: Any) -> Any:
    return m + (gradient - m) * (1 - BETA_1)


def _v(v: Any, gradient: Any) -> Any:
    return v + (gradient * gradient - v) * (1 - BETA_2)


# --- JAX


def jax_by_calls() -> Epoch:
    """A call of a compiled step for every batch, in place of a scan."""
    steps = bare_steps()

    def epoch() -> Any:
        for x, y in zip(*batches(), strict=True):
            steps.train((x[None], y[None]))
        return steps.logs()

    return epoch


def jax_unrolled(unroll: int) -> Epoch:
    """The scan with so many steps in its body."""
    import jax

    jax.lax.scan = partial(jax.lax.scan, unroll=unroll)
    return bare()


# --- TensorFlow


def tensorflow_without_xla() -> Epoch:
    """The loop as TensorFlow's own graph."""
    import tensorflow as tf

    steps = bare_steps()
    steps._program = tf.function(steps._loop)
    return lambda: (steps.train(batches()), steps.logs())


VARIANTS: dict[str, dict[str, Callable[[], Epoch]]] = {
    "torch": {
        "bare": bare,
        "Sequential, Adam": torch_sequential,
        "Sequential, Adam(foreach=True)": partial(torch_sequential, foreach=True),
        "Sequential, Adam(fused=True)": partial(torch_sequential, fused=True),
        "compiled, 1 step": partial(torch_compiled, 1, "library"),
        "compiled, 1 step, C++ wrapper": partial(torch_compiled, 1, "library", cpp_wrapper=True),
        "compiled, 10 steps, C++ wrapper": partial(torch_compiled, 10, "library", cpp_wrapper=True),
        "compiled, 10 steps, C++ wrapper, products by sums": partial(
            torch_compiled, 10, "sums", cpp_wrapper=True
        ),
    },
    "jax": {
        "bare": bare,
        "a call for every batch": jax_by_calls,
        "5 steps in the body of the scan": partial(jax_unrolled, 5),
        "15 steps in the body of the scan": partial(jax_unrolled, 15),
    },
    "tensorflow": {"bare": bare, "without XLA": tensorflow_without_xla},
}


def measure(epoch: Epoch, clock: Callable[[], float]) -> list[float]:
    seconds = []
    for _ in range(EPOCHS):
        start = clock()
        epoch()
        seconds.append(clock() - start)
    return seconds


def main() -> None:
    backend = os.environ["KERAS_BACKEND"]
    if sys.argv[1:2] == ["--one"]:
        threads = os.environ.get("OMP_NUM_THREADS", "default")
        epoch = VARIANTS[backend][sys.argv[2]]()
        first, second, *later = measure(epoch, time.perf_counter)
        cpu = statistics.median(measure(epoch, time.process_time))
        print(
            f"{backend}, {sys.argv[2]}, threads {threads}: first epoch {first:.2f} s, second "
            f"{second * 1e3:.1f} ms, later {statistics.median(later) * 1e3:.2f} ms, "
            f"of CPU {cpu * 1e3:.2f} ms",
            flush=True,
        )
        return
    for name in sys.argv[1:] or VARIANTS[backend]:
        subprocess.run([sys.executable, __file__, "--one", name], check=True)


if __name__ == "__main__":
    main()
