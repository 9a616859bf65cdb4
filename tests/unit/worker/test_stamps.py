"""What a worker tells of its epochs, by clocks that the test sets."""

from types import SimpleNamespace

import pytest

from keras_bench.worker import stamps as module
from keras_bench.worker.protocol import Epoch
from keras_bench.worker.stamps import Stamps


class Clocks:
    """Both clocks of a worker, and what it has told."""

    def __init__(self):
        self.wall, self.cpu = 100.0, 7.0
        self.told = []
        self.leaving = SimpleNamespace(is_asked=False)

    def run(self, seconds, cpu_seconds):
        self.wall += seconds
        self.cpu += cpu_seconds

    def reply(self, key, value):
        self.told.append((key, value))
        self.run(5.0, 3.0)


@pytest.fixture
def clocks(monkeypatch):
    clocks = Clocks()
    monkeypatch.setattr(module, "monotonic", lambda: clocks.wall)
    monkeypatch.setattr(module, "process_time", lambda: clocks.cpu)
    return clocks


def stamps_of(clocks, epochs=None):
    return Stamps(epochs, clocks.reply, clocks.leaving)


def test_each_epoch_is_told_and_kept_without_what_the_telling_takes(clocks):
    stamps = stamps_of(clocks)
    for seconds, cpu_seconds in ((2.0, 1.0), (4.0, 8.0)):
        clocks.run(seconds, cpu_seconds)
        stamps.end()
    assert stamps.seconds == [2.0, 4.0]
    assert stamps.cpu_seconds == [1.0, 8.0]
    assert clocks.told == [("epoch", Epoch(100.0, 102.0)), ("epoch", Epoch(107.0, 111.0))]


def test_a_clock_that_a_workload_replaces_is_not_the_workers(monkeypatch):
    stamps = Stamps(None, lambda key, value: None, SimpleNamespace(is_asked=False))
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    monkeypatch.setattr("time.process_time", lambda: 0.0)
    stamps.begin()
    sum(range(10_000))
    stamps.end()
    assert stamps.seconds[0] > 0.0
    assert stamps.cpu_seconds[0] > 0.0


def test_an_epoch_may_begin_anew(clocks):
    stamps = stamps_of(clocks)
    clocks.run(9.0, 9.0)
    stamps.begin()
    clocks.run(2.0, 1.0)
    stamps.end()
    assert (stamps.seconds, stamps.cpu_seconds) == ([2.0], [1.0])
    assert clocks.told == [("epoch", Epoch(109.0, 111.0))]


def test_a_block_of_calls_is_told_whole_and_kept_by_the_call(clocks):
    stamps = stamps_of(clocks)
    clocks.run(2.0, 1.0)
    stamps.end(calls=4)
    assert (stamps.seconds, stamps.cpu_seconds) == ([0.5], [0.25])
    assert clocks.told == [("epoch", Epoch(100.0, 102.0))]


def test_it_goes_on_until_the_epochs_are_enough(clocks):
    stamps = stamps_of(clocks, epochs=3)
    assert [stamps.end() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("epochs", [None, 3])
def test_it_goes_on_until_it_is_told_to_stop(clocks, epochs):
    stamps = stamps_of(clocks, epochs)
    assert stamps.end()
    clocks.leaving.is_asked = True
    assert not stamps.end()
