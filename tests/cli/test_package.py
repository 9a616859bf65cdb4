"""The built wheel, outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import PROJECT


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Build the wheel and install it, without its dependencies, into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*pip, str(PROJECT)], check=True, cwd=folder)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_it_carries_its_workloads_and_their_data(installed: Path):
    code = "import keras_bench.measure.workloads as w; print(w.models_folder())"
    models = Path(run(installed, "-c", code).stdout.strip())
    assert installed in models.parents
    assert (models / "data" / "haberman.csv").is_file()
    assert (models / "data" / "digits.npz").is_file()
    assert "dense_3_5_2" in run(installed, "-m", "keras_bench", "list").stdout


def test_it_carries_what_a_page_is_made_of(installed: Path):
    assets = installed / "keras_bench" / "report" / "page" / "assets"
    source = PROJECT / "bench" / "keras_bench" / "report" / "page" / "assets"
    assert {file.name for file in assets.iterdir()} == {file.name for file in source.iterdir()}


def test_it_installs_no_package_but_bench(installed: Path):
    packages = {file.parent.name for file in installed.glob("*/__init__.py")}
    assert packages == {"keras_bench"}


def test_it_measures_a_shipped_workload(installed: Path, pythons):
    answer = run(
        installed, "-m", "keras_bench", "run", "dense_3_5_2", "--rounds=1", "--backend=jax",
        f"--env=jax={pythons['jax']}",
    )  # fmt: skip
    assert "jax trains an epoch of dense_3_5_2" in answer.stdout
    assert (installed / "results" / "latest.md").is_file()
