import math

import pytest
from builders import in_slices, sample

from keras_bench.analyze.steady import (
    process_epoch,
    process_epoch_seconds,
    process_epochs_by,
    steady,
    steady_count,
    with_starts,
)


def test_the_first_epoch_and_the_warm_up_do_not_count():
    assert steady(sample(epoch_seconds=(9.0, 5.0, 1.0, 2.0, 3.0))) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("epochs", [(9.0,), (9.0, 5.0)])
def test_a_training_without_steady_epochs_gives_its_last_one(epochs):
    assert steady(sample(epoch_seconds=epochs)) == epochs[-1:]


def test_each_process_gives_one_value_in_order():
    samples = [sample(0.2), sample(0.1), sample(0.3)]
    assert process_epoch_seconds(samples) == pytest.approx([0.2, 0.1, 0.3])


def test_the_length_of_first_epoch_and_warm_up_changes_nothing():
    quick = sample(epoch_seconds=(0.1, 0.1, 0.1, 0.1, 0.1))
    slow = sample(epoch_seconds=(33.0, 7.0, 0.1, 0.1, 0.1))
    assert process_epoch(quick) == process_epoch(slow)


def test_a_stall_in_a_few_epochs_changes_nothing():
    stalled = sample(epoch_seconds=(1.0, 0.1, *[0.1] * 8, 5.0, 9.0))
    assert process_epoch(stalled) == pytest.approx(0.1)


def test_a_process_of_two_speeds_is_judged_by_both():
    changing = sample(epoch_seconds=(1.0, 0.1, *[0.1, 0.4] * 5))
    assert process_epoch(changing) == pytest.approx(math.sqrt(0.1 * 0.4))


def test_cpu_seconds_are_judged_alike():
    samples = [sample(0.1, epoch_cpu_seconds=(8.0, 4.0, *[0.3] * 8))]
    assert process_epochs_by("cpu", samples) == pytest.approx([0.3])


# Four epochs lie outside of the stretch by which arms are compared in slices, one at each of its
# ends in part. The stall within it met all arms of the group.
SLICED = in_slices(
    epoch_seconds=(9.0, 5.0, 7.0, 0.4, 0.1, 2.0, 0.8, 7.0),
    epoch_cpu_seconds=(8.0, 8.0, 8.0, 0.8, 0.2, 4.0, 1.6, 8.0),
    counted=(0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 0.25, 0.0),
)


def test_of_a_process_in_slices_epochs_count_as_much_as_lies_in_the_stretch():
    expected = (0.5 * 0.4 + 0.1 + 2.0 + 0.25 * 0.8) / 2.75
    assert process_epoch(SLICED) == pytest.approx(expected)
    assert process_epoch(SLICED, "cpu") == pytest.approx(2 * expected)


def test_of_a_process_in_slices_the_steady_epochs_are_all_of_which_a_part_counts():
    assert steady(SLICED) == (0.4, 0.1, 2.0, 0.8)
    assert steady(SLICED, "cpu") == (0.8, 0.2, 4.0, 1.6)
    assert steady_count(SLICED) == 4


def test_what_starting_takes_is_told_by_those_that_started_alone():
    alone, together = sample(0.1, import_seconds=2.0), sample(0.1, started_alone=False)
    assert list(with_starts([together, alone])) == [alone]
    assert list(with_starts([together])) == [together]
