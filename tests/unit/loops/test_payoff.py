"""By which times of epochs fused ones are chosen, and the sentence of the report."""

from collections.abc import Iterator

import pytest

from keras_bench.loops.payoff import (
    TORCH_COST,
    UNKNOWN,
    XLA_COSTS,
    Choice,
    FusedReport,
    Stretch,
    TimedEpoch,
    choose,
    report,
    seconds_in_words,
)


def timed(*epochs: tuple[str, float]) -> list[TimedEpoch]:
    return [TimedEpoch(loop, place, seconds) for place, (loop, seconds) in enumerate(epochs, 1)]


def by_fit(*seconds: float) -> list[TimedEpoch]:
    return timed(*(("fit", each) for each in seconds))


def choice(
    epochs: list[TimedEpoch], remaining: int, cost: float = 10.0, may_end_early: bool = False
) -> Choice:
    return choose(epochs, remaining, may_end_early, lambda extra: [cost])


def test_the_first_epoch_shows_nothing_yet():
    assert choice(by_fit(5.0), 1000) == Choice("fit", UNKNOWN)


@pytest.mark.parametrize(("remaining", "loop"), [(20, "fit"), (21, "fused")])
def test_compiling_must_pay_in_half_the_time_of_the_epochs_that_are_left(remaining: int, loop: str):
    assert choice(by_fit(5.0, 1.0), remaining).loop == loop


def test_what_does_not_pay_is_told_and_settled():
    why = "compiling (some 10 s) wouldn't have paid in the 12 epochs left"
    assert choice(by_fit(5.0, 1.0), 12) == Choice("fit", why, settled=True)
    assert "in the 1 epoch left" in choice(by_fit(5.0, 1.0), 1).why


@pytest.mark.parametrize(("trained", "loop"), [(9, "fit"), (10, "fused")])
def test_a_training_that_may_end_early_takes_as_long_as_compiling_first(trained: int, loop: str):
    epochs = by_fit(5.0, *[1.0] * (trained - 1))
    assert choice(epochs, 1000, may_end_early=True).loop == loop
    assert choice(epochs, 1000).loop == "fused"


@pytest.mark.parametrize("ends_after", [1, 5, 10, 11, 30, 1000])
def test_whenever_a_training_ends_it_takes_at_most_twice_as_long_as_it_could_have(ends_after: int):
    cost, fit_seconds, fused_seconds = 10.0, 1.0, 0.01
    epochs: list[TimedEpoch] = []
    loop, spent = "fit", 0.0
    while len(epochs) < ends_after:
        spent += cost if loop == "fused" and epochs[-1].loop == "fit" else 0.0
        seconds = fit_seconds if loop == "fit" else fused_seconds
        spent += seconds
        epochs.append(TimedEpoch(loop, len(epochs) + 1, seconds))
        loop = choice(epochs, 10_000, cost, may_end_early=True).loop
    assert spent <= 2 * min(ends_after * fit_seconds, cost + ends_after * fused_seconds)


def test_what_costs_something_to_find_out_is_asked_only_where_less_would_pay():
    asked = []

    def costs(extra: float) -> Iterator[float]:
        asked.append(extra)
        yield 3.0
        asked.append("more")
        yield 30.0

    assert choose(by_fit(1.5, 1.0), 4, False, costs).why.startswith("compiling (some 3.0 s)")
    assert asked == [0.5]
    assert choose(by_fit(1.5, 1.0), 40, False, costs).why.startswith("compiling (some 30 s)")
    assert asked == [0.5, 0.5, "more"]


@pytest.mark.parametrize(("fused", "loop"), [(0.9, "fused"), (1.0, "fit")])
def test_fused_epochs_that_are_no_faster_give_way_to_fit(fused: float, loop: str):
    epochs = [("fit", 5.0), ("fit", 1.0), ("fused", 9.0)]
    assert not choice(timed(*epochs, *[("fused", fused)] * 2), 9).settled
    found = choice(timed(*epochs, *[("fused", fused)] * 3), 9)
    assert (found.loop, found.settled) == (loop, True)


def test_a_program_that_was_there_goes_on():
    assert choice(timed(("fused", 1.0)), 5) == Choice("fused")


def test_the_cost_on_xla_follows_the_first_epoch_of_fit_where_that_compiled():
    cost = XLA_COSTS["jax"]
    assert cost.seconds(1.0) == cost.ratio
    assert cost.seconds(-0.1) == 0.0
    assert cost.seconds(None) == cost.most_seconds


def test_the_cost_on_torch_follows_the_trace_or_what_is_remembered():
    assert TORCH_COST.seconds(0.5, None) == 0.5 * TORCH_COST.ratio
    assert TORCH_COST.seconds(0.5, (40.0, False)) == 40.0 * TORCH_COST.share_with_cache
    assert TORCH_COST.seconds(0.5, (4.0, True)) == 4.0


def test_a_report_tells_the_stretches():
    epochs = [("fit", 1.5), ("fit", 0.45), ("fit", 0.45), ("fused", 4.106)]
    done = report(timed(*epochs, *[("fused", 0.006)] * 97), "")
    assert done.stretches == (
        Stretch("fit", 1, 3, 0.45, 1.05),
        Stretch("fused", 4, 101, 0.006, pytest.approx(4.1)),
    )
    assert done.sentence == (
        "fit_fused: epochs 1 to 3 by fit (0.45 s each), compiled in 4.1 s, "
        "epochs 4 to 101 fused (0.0060 s each)"
    )


def test_a_report_tells_why_fit_has_trained():
    back = report(
        timed(("fit", 2.0), ("fit", 1.0), *[("fused", 1.5)] * 3, ("fit", 1.0)), "it was no faster"
    )
    assert back.sentence.endswith("epoch 6 by fit (1.0 s): it was no faster")
    assert report(by_fit(1.0), "why").sentence == "fit_fused: trained by fit: why"
    assert FusedReport((), "why").sentence == "fit_fused: trained by fit: why"


def test_a_program_that_was_there_is_not_said_to_be_compiled():
    done = report(timed(("fused", 0.01), ("fused", 0.02)), UNKNOWN, was_compiled=True)
    assert done.sentence == "fit_fused: epochs 1 to 2 fused (0.015 s each)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.000012, "0.000012 s"), (0.006, "0.0060 s"), (0.45, "0.45 s"), (4.1, "4.1 s"), (82, "82 s")],
)
def test_times_have_two_digits(seconds: float, words: str):
    assert seconds_in_words(seconds) == words
