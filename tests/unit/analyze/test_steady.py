import math

import pytest
from builders import sample

from keras_bench.analyze.steady import process_epoch_cpu_seconds, process_epoch_seconds, steady


def test_the_first_epoch_and_the_warm_up_do_not_count():
    assert steady((9.0, 5.0, 1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("epochs", [(9.0,), (9.0, 5.0)])
def test_a_training_without_steady_epochs_gives_its_last_one(epochs):
    assert steady(epochs) == epochs[-1:]


def test_each_process_gives_one_value_in_order():
    samples = [sample(0.2), sample(0.1), sample(0.3)]
    assert process_epoch_seconds(samples) == pytest.approx([0.2, 0.1, 0.3])


def test_the_length_of_first_epoch_and_warm_up_changes_nothing():
    quick = sample(epoch_seconds=(0.1, 0.1, 0.1, 0.1, 0.1))
    slow = sample(epoch_seconds=(33.0, 7.0, 0.1, 0.1, 0.1))
    assert process_epoch_seconds([quick]) == process_epoch_seconds([slow])


def test_a_stall_in_a_few_epochs_changes_nothing():
    stalled = sample(epoch_seconds=(1.0, 0.1, *[0.1] * 8, 5.0, 9.0))
    assert process_epoch_seconds([stalled]) == pytest.approx([0.1])


def test_a_process_of_two_speeds_is_judged_by_both():
    changing = sample(epoch_seconds=(1.0, 0.1, *[0.1, 0.4] * 5))
    assert process_epoch_seconds([changing]) == pytest.approx([math.sqrt(0.1 * 0.4)])


def test_cpu_seconds_are_judged_alike():
    samples = [sample(0.1, epoch_cpu_seconds=(8.0, 4.0, *[0.3] * 8))]
    assert process_epoch_cpu_seconds(samples) == pytest.approx([0.3])
