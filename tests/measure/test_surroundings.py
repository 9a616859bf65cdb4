import sys

from bench.measure.environments import probe
from bench.measure.surroundings import examine


def test_the_machine_can_be_looked_at(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seen = examine(probe({"jax": sys.executable}))
    assert 0.0 <= seen.busy_percent <= 100.0
    assert seen.thread_variables == ("OMP_NUM_THREADS",)


def test_a_profiler_in_this_process_is_seen():
    def profiler(*_):
        return None

    sys.setprofile(profiler)
    try:
        seen = examine({})
    finally:
        sys.setprofile(None)
    assert "a tracer inside this Python" in seen.observers
