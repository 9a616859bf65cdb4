import pytest
from builders import sample

from keras_bench.analyze.epochs import TimedEpoch, timed_epochs
from keras_bench.analyze.steady import steady


def test_every_epoch_is_there_in_the_order_it_came():
    found = timed_epochs([sample(epoch_seconds=(0.9, 0.3, 0.1)), sample(epoch_seconds=(0.8, 0.2))])
    assert found == (
        TimedEpoch(1, 1, 0.9, False),
        TimedEpoch(1, 2, 0.3, False),
        TimedEpoch(1, 3, 0.1, True),
        TimedEpoch(2, 1, 0.8, False),
        TimedEpoch(2, 2, 0.2, True),
    )


@pytest.mark.parametrize("epochs", [1, 2, 3, 20])
def test_those_that_count_are_the_steady_ones(epochs):
    measured = sample(epoch_seconds=tuple(0.1 + 0.01 * number for number in range(epochs)))
    counted = [each.epoch_seconds for each in timed_epochs([measured]) if each.is_steady]
    assert counted == list(steady(measured.epoch_seconds))
