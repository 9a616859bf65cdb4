"""What the first fused epoch costs on torch, by the trace of a step, and what its cache saves.

Run it with the interpreter of torch's environment, KERAS_BACKEND=torch, and PYTHONPATH the folder
`bench`: `python tests/benchmarks/torch_compile_seconds.py [--write FILE] [NETWORK...]`. Each
network of `models/` is trained in two processes, which share a cache that is empty for the first.
The cost is by how much more time the first fused epoch takes than a later one, after epochs of
`fit`. Where other programs run, the CPU time is nearer to what it takes alone; the last lines are
of CPU times.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

MODELS = Path(__file__).parents[2] / "models"


def networks() -> list[str]:
    files = sorted(MODELS.glob("*.py"))
    return [file.stem for file in files if "\ndef build(" in file.read_text(encoding="utf-8")]


def cost(network: str) -> dict[str, float]:
    """Return the operators of a step and the seconds of its trace and of compiling, in here."""
    sys.path.insert(0, str(MODELS))
    workload = import_module(network)
    import keras
    import torch

    from keras_bench.loops.fused import fit_fused
    from keras_bench.loops.torch_trace import TracedStep

    keras.utils.set_random_seed(0)
    model, (x, y) = workload.build(), workload.data(0)
    settings = {**workload.FIT, "verbose": 0}
    begun, taken = [(0.0, 0.0)], []

    def end(epoch: int, logs: Any) -> None:
        taken.append([after - before for after, before in zip(now(), begun[-1], strict=True)])

    timer = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: begun.append(now()), on_epoch_end=end
    )
    model.fit(x, y, **{**settings, "epochs": 2, "callbacks": [timer]})
    taken.clear()
    begin = time.process_time()
    batch_size = settings.get("batch_size") or 32
    model.train()
    batch = [torch.as_tensor(np.asarray(each)[:batch_size]) for each in (x, y)]
    batch = [each.to(torch.float32) if each.is_floating_point() else each for each in batch]
    step = TracedStep(model, tuple(batch))
    traced = time.process_time() - begin
    fit_fused(model, x, y, **{**settings, "epochs": 6, "callbacks": [timer]})
    return {
        "operators": sum(node.op == "call_function" for node in step.graph.graph.nodes),
        "trace": traced,
        "wall": taken[0][0] - statistics.median(wall for wall, _ in taken[1:]),
        "seconds": taken[0][1] - statistics.median(cpu for _, cpu in taken[1:]),
    }


def now() -> tuple[float, float]:
    """Return the time, and the CPU time of this process and of the compilers that it has called."""
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), cpu


def in_a_process(network: str, cache: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--here", network],
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def summary(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[str]:
    times = [cold["seconds"] / cold["trace"] for cold, _ in rows]
    shares = [warm["seconds"] / cold["seconds"] for cold, warm in rows]
    return [
        f"- compiling takes {min(times):.0f} to {max(times):.0f} times as long as the trace",
        f"- with torch's cache it takes {min(shares):.2f} to {max(shares):.2f} of that",
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--here", help="measure this network in this process")
    parser.add_argument("--write", type=Path, help="write the table here, too")
    options = parser.parse_args()
    if options.here:
        with contextlib.redirect_stdout(sys.stderr):
            answer = cost(options.here)
        print(json.dumps(answer))
        return
    lines = [
        "| network | operators of a step | trace, CPU s | compiling, CPU s "
        "| with torch's cache, CPU s | compiling, s | with torch's cache, s |",
        "|:--------|---:|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for network in options.networks or networks():
        with tempfile.TemporaryDirectory() as cache:
            cold, warm = in_a_process(network, cache), in_a_process(network, cache)
        rows.append((cold, warm))
        figures = (
            *(cold["trace"], cold["seconds"], warm["seconds"]),
            *(cold["wall"], warm["wall"]),
        )
        texts = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {network} | {cold['operators']} | {texts} |")
        print(lines[-1], flush=True)
    lines += ["", *summary(rows)]
    print("\n".join(lines[-3:]))
    if options.write:
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
