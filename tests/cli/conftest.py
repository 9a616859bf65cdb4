"""The command line with a fake worker."""

import pytest


@pytest.fixture(autouse=True)
def pages_where_they_are_asked_for(request: pytest.FixtureRequest) -> None:
    """Let runs draw their page only in tests that are marked `draws_page`."""
    if request.node.get_closest_marker("draws_page") is None:
        request.getfixturevalue("no_page")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch) -> None:
    """Let a fake worker, which has no cache that is cold, train an epoch or a few in its turn."""
    monkeypatch.setattr("keras_bench.measure.turns.LEAST_TURN_SECONDS", 0.002)
