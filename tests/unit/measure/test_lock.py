import subprocess
import sys
import tempfile
import threading

import pytest

from keras_bench.measure.lock import machine_lock

HOLD = """
import sys
from keras_bench.measure.lock import machine_lock
with machine_lock(lambda file: None):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_free_machine_is_taken_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(2):
        with machine_lock(lambda file: pytest.fail("waited for nobody")):
            pass


def test_a_second_run_waits_and_says_so(other_run):
    told = threading.Event()

    def about_to_wait(file):
        told.set()
        other_run.stdin.close()

    with machine_lock(about_to_wait):
        assert told.is_set()
        assert other_run.wait(10) == 0


def test_a_run_that_was_killed_holds_nothing(other_run):
    other_run.kill()
    other_run.wait()
    with machine_lock(lambda file: pytest.fail("waited for the dead")):
        pass
