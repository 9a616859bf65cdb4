"""The built wheel, outside the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from project import PROJECT, SOURCES


def installed_into(folder: Path) -> Path:
    """Build the wheel and unpack it, without its dependencies, into a folder of its own."""
    build = [sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}"]
    subprocess.run(build, check=True, cwd=PROJECT, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_is_one_package_that_measures_by_itself(tmp_path: Path, jax_python: str):
    installed = installed_into(tmp_path)
    assert {file.parent.name for file in installed.glob("*/__init__.py")} == {"keras_bench"}
    assets = Path("report", "page", "assets")
    carried = {file.name for file in (installed / "keras_bench" / assets).iterdir()}
    assert carried == {file.name for file in (SOURCES / "keras_bench" / assets).iterdir()}
    command = [sys.executable, "-m", "keras_bench", "run", "dense_3_5_2", "--quick", "--rounds=1"]
    options = ["--no-parity", "--backend=jax", f"--env=jax={jax_python}", f"--results={tmp_path}"]
    answer = subprocess.run(
        [*command, *options],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "jax trains an epoch of dense_3_5_2" in answer.stdout
    assert (tmp_path / "report.html").is_file()
