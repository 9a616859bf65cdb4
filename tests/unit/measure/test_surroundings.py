import os
import subprocess
import sys
from collections import namedtuple

import psutil
import pytest

from keras_bench.environments.interpreters import Interpreter, probe
from keras_bench.measure.surroundings import examine, other_cpu_seconds
from keras_bench.records import Environment


def test_the_machine_can_be_looked_at(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seen = examine(probe({"jax": sys.executable}))
    assert 0.0 <= seen.busy_percent <= 100.0
    assert seen.thread_variables == ("OMP_NUM_THREADS",)


def test_what_brings_a_module_is_seen_where_it_is_unusual():
    environment = Environment(
        "3.11.7",
        (("keras", "3.16.0.dev1"), ("tensorflow", "2.21.0")),
        distributions=(("keras", "keras-nightly"), ("tensorflow", "tensorflow-cpu")),
    )
    same = Interpreter("py", environment)
    seen = examine({"tensorflow": same, "jax": same})
    assert seen.distributions == (("py", "keras", ("keras-nightly",)),)


def test_a_profiler_in_this_process_is_seen():
    def profiler(*_):
        return None

    sys.setprofile(profiler)
    try:
        seen = examine({})
    finally:
        sys.setprofile(None)
    assert "a tracer inside this Python" in seen.observers


def clocks(monkeypatch, own, **system):
    """Let the system tell these CPU seconds, and this process its own and those of its workers."""
    times = namedtuple("times", system)(**system)
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    monkeypatch.setattr(os, "times", lambda: os.times_result((*own, 0.0)))


def test_other_programs_used_what_this_one_and_its_workers_did_not(monkeypatch):
    clocks(monkeypatch, own=(1.0, 2.0, 3.0, 4.0), user=60.0, nice=5.0, system=30.0, irq=1.0)
    assert other_cpu_seconds() == pytest.approx(86.0)


def test_time_that_no_program_used_is_nobodys(monkeypatch):
    own = (0.0, 0.0, 0.0, 0.0)
    clocks(monkeypatch, own, user=10.0, idle=99.0, iowait=99.0, steal=99.0)
    assert other_cpu_seconds() == pytest.approx(10.0)


def test_the_time_of_guests_counts_once(monkeypatch):
    clocks(monkeypatch, (0.0,) * 4, user=10.0, nice=2.0, guest=9.0, guest_nice=2.0)
    assert other_cpu_seconds() == pytest.approx(12.0)


def test_the_time_of_an_ended_worker_is_known_to_be_its_own():
    before = sum(os.times()[2:4])
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    assert sum(os.times()[2:4]) > before
    assert other_cpu_seconds() > 0
