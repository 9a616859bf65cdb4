import subprocess
import sys

import pytest
from platformdirs import user_cache_path

from keras_bench.errors import ResultsUnwritable
from keras_bench.measure.lock import lock_file, machine_lock

HOLD = """
import sys
from keras_bench.measure.lock import machine_lock
with machine_lock(lambda file: None):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run():
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_free_machine_is_taken_at_once():
    for _ in range(2):
        with machine_lock(lambda file: pytest.fail("waited for nobody")):
            pass


def test_a_second_run_waits_and_says_so(other_run):
    told = []

    def about_to_wait(holder):
        told.append(holder)
        other_run.stdin.close()

    with machine_lock(about_to_wait):
        assert other_run.wait(10) == 0
    (holder,) = told
    assert holder.startswith(f"process {other_run.pid}, `keras-bench` since ")
    assert holder.endswith("machine.lock")


def test_the_lock_lies_where_no_other_user_can_block_it(tmp_path, monkeypatch):
    assert lock_file() == tmp_path / "machine.lock"
    monkeypatch.delenv("KERAS_BENCH_LOCK")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert lock_file() == tmp_path / "keras-bench.lock"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert lock_file().is_relative_to(user_cache_path("keras-bench"))


def test_what_is_wrong_with_the_lock_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "folder.lock"
    folder.mkdir()
    monkeypatch.setenv("KERAS_BENCH_LOCK", str(folder))
    with (
        pytest.raises(ResultsUnwritable, match=r"folder\.lock: can't be locked \("),
        machine_lock(lambda holder: None),
    ):
        pass


def test_a_run_that_was_killed_holds_nothing(other_run):
    other_run.kill()
    other_run.wait()
    with machine_lock(lambda file: pytest.fail("waited for the dead")):
        pass
