"""What is read of a profiler's answer, and what is said where there is none."""

import os
import stat
from pathlib import Path

import pytest
from builders import ENVIRONMENT, workload_in

from keras_bench.measure import profile as module
from keras_bench.measure.outcomes import Target
from keras_bench.measure.process import launcher
from keras_bench.measure.profile import NoProfile, profile, read_stacks
from keras_bench.records import Arm, Frame, Stack

PACKAGES = "/home/me/.venv/lib/python3.12/site-packages"
MAIN = "thread (4021): MainThread"
WORKER = "main (/tmp/keras-bench-1/import/keras_bench/worker/__main__.py:55)"
FIT = f"JAXTrainer.fit ({PACKAGES}/keras/src/backend/jax/trainer.py:471)"


@pytest.mark.parametrize(
    ("call", "frame"),
    [
        (f"f ({PACKAGES}/jax/_src/pjit.py:3)", Frame("f", "jax/_src/pjit.py")),
        (f"f ({PACKAGES}/six.py:3)", Frame("f", "site-packages/six.py")),
        ("A.f.<locals>.g (/home/me/keras/keras/src/a.py:3)",
         Frame("A.f.<locals>.g", "keras/src/a.py")),
        ("f (/usr/lib/python3.12/threading.py:3)", Frame("f", "python3.12/threading.py")),
        ("<lambda> (/home/me/secret/mine.py:3)", Frame("<lambda>", "mine.py")),
        ("f (<frozen runpy>:88)", Frame("f", "<frozen runpy>")),
        ("strange", Frame("strange", "")),
    ],
)  # fmt: skip
def test_a_frame_names_no_folder_of_the_machine(call: str, frame: Frame):
    (stack,) = read_stacks([f"{MAIN};{WORKER};{FIT};{call} 7"])
    assert stack == Stack(
        (
            Frame("main", "keras_bench/worker/__main__.py"),
            Frame("JAXTrainer.fit", "keras/src/backend/jax/trainer.py"),
            frame,
        ),
        7,
    )


def test_other_threads_and_what_trains_nothing_are_left_out():
    lines = [
        f"thread (4022): ThreadPoolExecutor-1_0;{FIT} 5",
        f"{MAIN};{WORKER} 5",
        f"{MAIN};{WORKER};{FIT} 5",
    ]
    assert [len(each.frames) for each in read_stacks(lines)] == [2]


#: A worker whose training py-spy sees.
TRAINS = """
class SomeTrainer:
    def fit(self):
        sample()

SomeTrainer().fit()
"""


@pytest.fixture
def watch(fake_python, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "WATCH_SECONDS", 1.0)

    def watch(behaviour: str = TRAINS):
        file = tmp_path / "net.py"
        file.write_text("")
        target = Target(fake_python(behaviour), workload_in(file))
        with launcher(30.0) as workers:
            return profile(Arm("net", "jax", ENVIRONMENT), target, 0, 2, workers)

    return watch


def fake_profiler(folder: Path, script: str) -> None:
    folder.mkdir()
    file = folder / "py-spy"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def only_in(monkeypatch):
    """Let py-spy be found in this folder alone."""

    def only_in(folder: Path) -> None:
        monkeypatch.setattr("sysconfig.get_path", lambda name: str(folder))
        monkeypatch.setenv("PATH", str(folder))

    return only_in


def test_a_missing_profiler_is_told(watch, only_in, tmp_path: Path):
    only_in(tmp_path)
    with pytest.raises(NoProfile, match=r"pip install .keras-bench\[explain\]"):
        watch()


def test_one_that_may_not_look_is_told_with_what_allows_it(watch, only_in, tmp_path: Path):
    fake_profiler(tmp_path / "bin", "echo 'Error: Permission Denied: try sudo' >&2; exit 1")
    only_in(tmp_path / "bin")
    with pytest.raises(NoProfile, match=r"Permission Denied: try sudo; .*ptrace_scope"):
        watch()


def test_one_that_fails_otherwise_is_told_with_what_it_says(watch, only_in, tmp_path: Path):
    fake_profiler(tmp_path / "bin", "echo 'Error: no such Python' >&2; exit 1")
    only_in(tmp_path / "bin")
    with pytest.raises(NoProfile, match="no such Python"):
        watch()


def test_one_that_hangs_is_ended(watch, only_in, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    fake_profiler(tmp_path / "bin", "exec /bin/sleep 600")
    only_in(tmp_path / "bin")
    with pytest.raises(NoProfile, match="to an end"):
        watch()


def test_a_worker_that_dies_meanwhile_gives_no_profile(watch):
    with pytest.raises(NoProfile):
        watch("epoch(0.01); epoch(0.01); os._exit(9)")


def test_a_training_is_seen(watch):
    try:
        found = watch()
    except NoProfile as reason:
        if "let it trace" in str(reason) and os.geteuid() != 0:
            pytest.skip(str(reason))
        raise
    assert found.profiler.startswith("py-spy ")
    assert {"SomeTrainer.fit"} <= {
        frame.function for stack in found.stacks for frame in stack.frames
    }
