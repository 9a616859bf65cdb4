import pytest
from builders import in_slices, sample

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


@pytest.mark.parametrize(
    "measured",
    [
        *(sample(epoch_seconds=(0.11, 0.12, 0.13, 0.14)[:epochs]) for epochs in (1, 2, 3, 4)),
        in_slices(epoch_seconds=(0.11, 0.12, 0.13, 0.14), counted=(0.0, 0.0, 0.2, 0.0)),
    ],
    ids=["1 epoch", "2 epochs", "3 epochs", "4 epochs", "slices"],
)
def test_those_that_count_are_the_steady_ones(measured):
    counted = [each.epoch_seconds for each in timed_epochs([measured]) if each.is_steady]
    assert counted == list(steady(measured))
