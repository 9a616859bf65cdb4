"""The command line with a fake worker."""

import pytest


@pytest.fixture(autouse=True)
def no_page(request: pytest.FixtureRequest, monkeypatch) -> None:
    """Let runs draw no page, which takes seconds, but in tests that are marked `draws_page`."""
    if request.node.get_closest_marker("draws_page") is None:
        monkeypatch.setattr("keras_bench.commands.run._write_page", lambda *_: None)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch) -> None:
    """Let a fake worker, which has no cache that is cold, train an epoch or a few in its turn."""
    monkeypatch.setattr("keras_bench.measure.turns.LEAST_TURN_SECONDS", 0.002)
