"""An explanation on every real framework, as short as it can be."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD, workload_in

from keras_bench.errors import Unsupported
from keras_bench.measure.process import launcher
from keras_bench.records import DATA_LOOP, Arm
from keras_bench.worker.protocol import TimingRequest

#: With enough steps that there is something to see.
LARGER = SMALL_WORKLOAD.replace("size=(20, 2)", "size=(400, 2)")


def fit_and_itself(fit: Arm, others: tuple[Arm, ...]) -> tuple[Arm, ...]:
    return fit, replace(fit, environment=replace(fit.environment, label="again"))


def fit_and_fused(fit: Arm, others: tuple[Arm, ...]) -> tuple[Arm, ...]:
    return fit, replace(fit, loop="fused")


def test_an_epoch_is_explained_and_what_is_faster_is_tried(
    run_cli, jax_python, command_folder: Path, monkeypatch
):
    monkeypatch.setattr("keras_bench.measure.profile.WATCH_SECONDS", 1.0)
    # One of the loops that may be faster, and none by which an epoch is split further.
    monkeypatch.setattr("keras_bench.commands.explain.arms_to_explain", fit_and_fused)
    (command_folder / "mine.py").write_text(SMALL_WORKLOAD)
    answer = run_cli(
        "explain",
        "mine.py",
        "--budget=1",
        "--json=found.json",
        "--backend=jax",
        f"--env=jax={jax_python}",
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads((command_folder / "found.json").read_text())["explanation"]
    parts = [part["epoch_seconds"]["value"] for part in found["parts"]]
    assert sum(parts) == pytest.approx(found["epoch_seconds"]["value"])
    assert [attempt["name"] for attempt in found["tries"]] == ["fused"]


# JAX has the test above.
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_training_is_watched_and_split(
    backend: str, run_cli, pythons, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("keras_bench.measure.profile.WATCH_SECONDS", 2.0)
    # That the other loops train on every backend is shown by their own tests.
    monkeypatch.setattr("keras_bench.commands.explain.arms_to_explain", fit_and_itself)
    (tmp_path / "cwd" / "mine.py").write_text(LARGER)
    answer = run_cli(
        "explain", "mine.py", f"--backend={backend}", f"--env={backend}={pythons[backend]}",
        # Several threads of torch hold each other up beside another test.
        "--threads=single", "--budget=1", "--json=found.json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    document = json.loads((tmp_path / "cwd" / "found.json").read_text())
    found = document["explanation"]
    parts = [each["epoch_seconds"]["value"] for each in found["parts"]]
    assert sum(parts) == pytest.approx(found["epoch_seconds"]["value"])
    assert [each["name"] for each in found["tries"]] == ["fit"]
    if document["profile"] is None and os.geteuid() != 0:
        pytest.skip(found["notes"][0])
    seen = {each["name"]: each["share"]["value"] for each in found["layers"]}
    # Keras and the framework are there on all of them, and hardly anything has no name.
    assert seen["the framework"] > 0
    assert seen["data pipeline"] > 0
    assert seen.get("other", 0.0) < 0.05
    home = str(Path(pythons[backend]).parent.parent)
    assert home not in json.dumps(document["profile"])


@pytest.fixture
def train(warm_pythons, tmp_path: Path):
    """Train the small workload by a loop; return the sample."""

    def train(backend: str, loop: str):
        file = tmp_path / "mine.py"
        file.write_text(SMALL_WORKLOAD)
        request = TimingRequest(
            workload=workload_in(file), backend=backend, seed=0, loop=loop, epochs=3
        )
        with launcher(300.0) as workers:
            return workers.run(warm_pythons[backend], request)

    return train


def test_the_other_compilation_is_tried_where_it_is_another(train):
    assert train("tensorflow", "fit jit_compile=True").jit_compile
    with pytest.raises(Unsupported, match="the model has jit_compile=True already"):
        train("jax", "fit jit_compile=True")


def test_the_data_are_passed_alone_on_tensorflow(train):
    found = train("tensorflow", DATA_LOOP)
    assert found.examples == 20
    assert set(found.losses) == {0.0}
    with pytest.raises(Unsupported, match="on tensorflow alone"):
        train("jax", DATA_LOOP)
