"""pytest-benchmark's figures are those of a real worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from builders import SMALL_WORKLOAD

from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.records import Sample

TEST = """
from keras_bench import benchmark_workloads

test_training = benchmark_workloads("mine.py")
"""


def test_it_times_a_real_training(jax_python: str, tmp_path: Path):
    (tmp_path / "mine.py").write_text(SMALL_WORKLOAD)
    (tmp_path / "test_mine.py").write_text(TEST)
    answer = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-k", "jax", f"--keras-bench-env=jax={jax_python}",
            "--keras-bench-rounds=1", "--benchmark-json=found.json",
        ],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout
    (found,) = json.loads((tmp_path / "found.json").read_text())["benchmarks"]
    samples = msgspec.convert(found["extra_info"]["samples"], list[Sample])
    assert len(samples) == 1
    assert found["stats"]["data"] == pytest.approx(process_epoch_seconds(samples))
