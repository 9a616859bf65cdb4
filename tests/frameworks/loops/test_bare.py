"""What the bare loop isn't written for it refuses, by name, before it trains."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from project import SOURCES

HERE = Path(__file__).parent

#: What each refusal must speak of.
REASONS = {
    "functional": "Functional",
    "dropout": "Dropout",
    "own layer": "Own",
    "frozen": "frozen",
    "no bias": "use_bias=False",
    "regularizer": "kernel_regularizer",
    "activation": "gelu",
    "softmax inside": "softmax",
    "half precision": "float32",
    "loss": "mae",
    "smoothing": "label_smoothing=0.1",
    "no sigmoid": "sigmoid",
    "metric": "mae",
    "optimizer": "RMSprop",
    "nesterov": "nesterov",
    "amsgrad": "amsgrad",
    "clipping": "clipnorm=1.0",
    "schedule": "schedule",
    "weights": "sample_weight",
}


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_what_bare_is_not_written_for_is_refused_by_name(pythons, backend: str):
    done = subprocess.run(
        [pythons[backend], str(HERE / "bare_refusals.py")],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SOURCES)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = dict(json.loads(line) for line in done.stdout.splitlines())
    assert said.pop("nothing") is None
    assert {name: reason for name, reason in said.items() if REASONS[name] not in reason} == {}
    assert said.keys() == REASONS.keys()
