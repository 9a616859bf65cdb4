from dataclasses import replace

import pytest
from builders import DIFFERS, failure, result, sample

from keras_bench.analyze.break_even import (
    MOST_EPOCHS,
    break_even,
    break_evens,
    totals_by_epochs,
    trainings,
)


def process(start, steady, epochs=10, **changes):
    """Return a process that spends so long until its first steady epoch."""
    return sample(
        import_seconds=start,
        build_seconds=0.0,
        epoch_seconds=(steady,) * epochs,
        **changes,
    )


def around(start, steady, spread=0.02):
    """Return an arm's processes, as unlike each other as their epochs are."""
    return [process(start, steady * (1 + spread * step)) for step in (-2, -1, 0, 1, 2)]


def test_a_training_is_what_precedes_it_and_its_epochs():
    # 2 s of importing, 0.5 s of building, 1.1 s of the first epoch, 0.1 s of each other one.
    (training,) = trainings([sample(0.1)])
    times = [training.seconds(epochs) for epochs in (1, 2, 3, 12)]
    assert times == pytest.approx([3.6, 3.7, 3.8, 4.7])


def test_the_warmup_is_counted_as_it_was():
    (training,) = trainings([sample(epoch_seconds=(1.0, 0.7, 0.1, 0.1))])
    assert training.seconds(4) == pytest.approx(2.5 + 1.0 + 0.7 + 0.2)


def test_a_training_too_short_to_have_a_steady_epoch_goes_by_its_last():
    (training,) = trainings([sample(epoch_seconds=(0.4,))])
    assert training.seconds(3) == pytest.approx(2.5 + 3 * 0.4)


def twice(start, steady):
    """Return two processes, of which the first alone tells what starting takes."""
    return [process(start, steady), process(99.0, steady, started_alone=False)]


def test_one_process_breaks_even_nowhere():
    one, two = result("jax", process(10.0, 0.1)), result("torch", *twice(1.0, 0.2))
    assert break_even(one, two) is None


def test_where_two_lines_cross_is_known():
    # 10 + 0.1 n < 1 + 0.2 n from the 91st epoch on, for at 90 they are equal.
    found = break_even(result("jax", *twice(10.0, 0.1)), result("torch", *twice(1.0, 0.2)))
    assert found is not None
    assert found.epochs in (90, 91)  # as sums of floats come out
    assert (found.faster.backend, found.slower.backend) == ("jax", "torch")
    assert (found.low, found.high) == (None, None)
    assert found.training_seconds == pytest.approx(10 + 0.1 * found.epochs)


def test_its_interval_holds_it_and_widens_with_the_noise():
    calm, rough = (
        break_even(
            result("jax", *around(10.0, 0.1, spread)), result("torch", *around(1.0, 0.2, spread))
        )
        for spread in (0.005, 0.03)
    )
    for found in (calm, rough):
        assert found.low < 91 < found.high
    assert rough.high - rough.low > calm.high - calm.low


def test_one_that_starts_and_trains_faster_is_quicker_from_the_start():
    found = break_even(result("jax", *around(1.0, 0.1)), result("torch", *around(2.0, 0.2)))
    assert (found.epochs, found.high) == (1, 1)


def test_equal_arms_that_start_alike_never_surely_break_even():
    found = break_even(result("jax", *around(2.0, 0.1)), result("torch", *around(1.0, 0.101, 0.1)))
    assert found.epochs > 1
    assert found.high is None


def test_what_is_quicker_for_short_trainings_alone_is_undecided():
    found = break_even(
        result("jax", *around(1.0, 0.99, 0.12)), result("torch", *around(3.0, 1.0, 0.12))
    )
    assert (found.epochs, found.low, found.high) == (1, 1, None)


def test_an_arm_whose_epochs_are_slower_breaks_even_nowhere_however_quickly_it_starts():
    quick_start = result("torch", *around(1.0, 0.2))
    assert break_even(quick_start, result("jax", *around(10.0, 0.1))) is None


def test_a_slow_second_epoch_is_made_up_for_before_they_break_even():
    slow_second = [
        replace(each, epoch_seconds=(0.1, 3.0, *each.epoch_seconds[2:]))
        for each in around(1.0, 0.1)
    ]
    fast, slow = result("tensorflow", *slow_second), result("torch", *around(1.5, 0.2))
    found = break_even(fast, slow)
    # After 1 epoch it is 0.6 s ahead, after 2 it is 2.3 s behind, and gains 0.1 s with each more.
    assert found.epochs in (25, 26)  # as sums of floats come out
    assert 2 < found.low < found.epochs < found.high


def test_an_uncounted_epoch_counts_where_it_decides():
    slow_first = [
        replace(each, epoch_seconds=(9.0, 0.1, *each.epoch_seconds[2:]))
        for each in around(1.0, 0.1)
    ]
    slow_second = [
        replace(each, epoch_seconds=(1.0, 9.0, *each.epoch_seconds[2:]))
        for each in around(1.0, 0.2)
    ]
    found = break_even(result("jax", *slow_first), result("tensorflow", *slow_second))
    assert (found.epochs, found.low, found.high) == (2, 2, 2)


@pytest.mark.parametrize("epochs", [3, 600_000, MOST_EPOCHS])
def test_a_break_even_is_found_as_far_as_anybody_trains(epochs):
    # Behind by half an epoch's gain less than so many epochs make up for.
    slow_start = result("jax", *twice((epochs - 0.5) * 0.1, 0.1))
    found = break_even(slow_start, result("torch", *twice(1e-9, 0.2)))
    assert found.epochs == epochs


def test_a_break_even_beyond_any_training_is_none():
    slow_start = result("jax", *twice(1e7, 0.1))
    assert break_even(slow_start, result("torch", *twice(1.0, 0.2))) is None


def test_every_two_arms_are_compared_the_faster_first():
    arms = [
        result("torch", *around(1.0, 0.3)),
        result("jax", *around(3.0, 0.1)),
        result("tensorflow", *around(2.0, 0.2)),
    ]
    found = [(each.faster.backend, each.slower.backend) for each in break_evens(arms)]
    assert found == [("jax", "tensorflow"), ("jax", "torch"), ("tensorflow", "torch")]


@pytest.mark.parametrize("changes", [{"failure": failure()}, {"parity": DIFFERS}], ids=str)
def test_what_does_not_count_breaks_even_with_none(changes):
    odd = replace(result("torch", *around(1.0, 0.3)), **changes)
    assert break_evens([result("jax", *around(3.0, 0.1)), odd, result("tensorflow")]) == ()


def test_backends_are_compared_by_the_default_loop_and_other_loops_with_it_on_their_backend():
    slow, fast = [0.2] * 3, [0.1] * 3
    arms = [
        result("jax", *fast),
        result("torch", *slow),
        result("jax", *[0.01] * 3, loop="fused"),
        result("torch", *[0.02] * 3, loop="fused"),
        result("torch", *[0.015] * 3, loop="bare"),
    ]
    assert {(each.faster.contender, each.slower.contender) for each in break_evens(arms)} == {
        ("jax", "torch"),
        ("jax fused", "jax"),
        ("torch fused", "torch"),
        ("torch bare", "torch"),
    }


def test_a_plot_has_each_arm_at_the_same_numbers_of_epochs():
    arms = [result("jax", 0.1), result("torch", 0.2), result("tensorflow")]
    found = totals_by_epochs(arms, 1000)
    by_backend = {
        backend: [epochs for arm, epochs, _ in found if arm.backend == backend]
        for backend in ("jax", "torch")
    }
    assert by_backend["jax"] == by_backend["torch"]
    assert len(found) == sum(map(len, by_backend.values()))
    assert by_backend["jax"][0] == 1
    assert by_backend["jax"][-1] == 1000
    assert by_backend["jax"] == sorted(set(by_backend["jax"]))
    (first,) = [seconds for arm, epochs, seconds in found if (arm.backend, epochs) == ("jax", 1)]
    assert first == pytest.approx(3.6)
