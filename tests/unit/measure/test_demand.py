"""How much of a core processes ask for, by real ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_bench.measure.demand import Demand, demand

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="the system doesn't tell"
)

#: Does something where it is told to, and says when that is over.
PROGRAM = """
import time
print(flush=True)
input()
{todo}
print(flush=True)
time.sleep(600)
"""


def asked_for(todo: str, core: int) -> float:
    """Return how long a program asks for a core while it does this, on one core."""
    program = [sys.executable, "-c", PROGRAM.format(todo=todo)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdout.readline()
            os.sched_setaffinity(process.pid, {core})
            before = demand([process.pid])
            process.stdin.write(b"\n")
            process.stdout.readline()
            after = demand([process.pid])
        finally:
            process.kill()
    assert before is not None
    assert after is not None
    return after.since(before)


@pytest.fixture
def rival():
    """Keep a core busy; return its number."""
    core = next(iter(os.sched_getaffinity(0)))
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        os.sched_setaffinity(process.pid, {core})
        yield core
        process.kill()


def test_sleeping_asks_for_no_core_and_working_does_though_another_has_it(rival: int):
    assert asked_for("time.sleep(0.5)", rival) < 0.4
    works = "end = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass"
    assert asked_for(works, rival) > 0.49


def test_threads_that_have_ended_are_counted_too(rival: int):
    threads = """
import threading
def work():
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    assert asked_for(threads, rival) > 0.07  # Of its CPU time, to some ticks of the clock.


def test_waiting_is_told_by_the_threads_that_there_are():
    before = Demand(1.0, {1: 5.0, 2: 0.2})
    assert Demand(1.5, {2: 0.3, 3: 0.4}).since(before) == pytest.approx(1.0)


def test_of_a_process_that_is_no_more_nothing_is_known():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert demand([process.pid]) is None
    assert demand([os.getpid(), process.pid]) is not None
