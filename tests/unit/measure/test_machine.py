import os

import pytest

from keras_bench.measure.machine import quiet_core, this_machine


def test_the_fingerprint_is_that_of_the_facts():
    machine = this_machine()
    assert machine == this_machine()
    assert machine.cpu
    assert 1 <= machine.usable_cores <= machine.logical_cores
    assert len(machine.fingerprint) == 8


@pytest.mark.parametrize(("cores", "quiet"), [({0, 1}, 1), ({5, 2, 3}, 5), ({3}, None)])
def test_the_quiet_core_is_the_last_of_those_that_may_be_used(cores, quiet, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: cores, raising=False)
    assert quiet_core() == quiet


def test_where_processes_cannot_be_pinned_no_core_is_quiet(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert quiet_core() is None
