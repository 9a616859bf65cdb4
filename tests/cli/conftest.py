"""The command line with a fake worker."""

import pytest

from keras_bench.commands import rounds


@pytest.fixture(autouse=True)
def pages_where_they_are_asked_for(request: pytest.FixtureRequest) -> None:
    """Let runs draw their page only in tests that are marked `draws_page`."""
    if request.node.get_closest_marker("draws_page") is None:
        request.getfixturevalue("no_page")


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch) -> None:
    """Let a fake worker, which has no cache that is cold, train for a moment."""
    of_settings = rounds.GroupSettings
    monkeypatch.setattr(
        rounds, "GroupSettings", lambda **given: of_settings(**given | {"training_seconds": 0.005})
    )
    monkeypatch.setattr("keras_bench.measure.group.SLICE_SECONDS", 0.004)
    monkeypatch.setattr("keras_bench.measure.group.FREE_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def short_look_at_the_machine(monkeypatch) -> None:
    """Let commands look at the load of the machine for a moment, which is no matter of a test."""
    monkeypatch.setattr("keras_bench.measure.surroundings.WATCH_SECONDS", 0.02)


@pytest.fixture
def interrupted_in_round_2(monkeypatch) -> None:
    """Let Ctrl-C come when the second round begins."""
    measure = rounds.measure_groups

    def interruptible(number, *others):
        if number == 2:
            raise KeyboardInterrupt
        return measure(number, *others)

    monkeypatch.setattr(rounds, "measure_groups", interruptible)
