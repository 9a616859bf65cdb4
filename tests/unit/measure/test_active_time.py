"""What of an epoch a worker really ran."""

import pytest

from keras_bench.measure.active_time import ActiveClock, common_stretch
from keras_bench.worker.protocol import Epoch

#: It ran from 10 to 12, from 15 to 16, and from 20 to 24.
CLOCK = ActiveClock([(10.0, 12.0), (15.0, 16.0), (20.0, 24.0)])


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (10.5, 11.25, 0.75),
        (12.0, 15.0, 0.0),
        (11.0, 15.5, 1.5),
        (13.0, 19.0, 1.0),
        (11.0, 21.0, 3.0),
        (0.0, 99.0, 7.0),
    ],
    ids=["within", "between", "over one stop", "around one slice", "over two stops", "all"],
)
def test_the_clock_stands_still_while_the_worker_is_stopped(start, end, seconds):
    assert CLOCK.seconds(start, end) == pytest.approx(seconds)
    assert CLOCK.epoch_seconds(Epoch(start, end)) == pytest.approx(seconds)


def test_slices_that_follow_upon_each_other_are_one():
    clock = ActiveClock([(10.0, 11.0), (11.0, 13.0)])
    assert clock.seconds(10.5, 12.0) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("stretch", "share"),
    [
        ((9.0, 30.0), 1.0),
        ((11.0, 21.0), 1.0),
        ((11.5, 21.0), 2.5 / 3),
        ((11.0, 15.5), 0.5),
        ((12.0, 14.0), 0.0),
        ((21.0, 30.0), 0.0),
        ((0.0, 11.0), 0.0),
    ],
    ids=["around", "just", "from within", "to within", "while stopped", "after", "before"],
)
def test_an_epochs_share_of_a_stretch_is_by_active_time(stretch, share):
    assert CLOCK.share(Epoch(11.0, 21.0), stretch) == pytest.approx(share)


def test_the_common_stretch_is_from_the_last_first_epoch_to_the_first_last_one():
    one = [Epoch(1.0, 2.0), Epoch(2.0, 3.0), Epoch(3.0, 8.0)]
    two = [Epoch(1.5, 4.0), Epoch(4.0, 7.0)]
    assert common_stretch([one, two]) == (1.5, 7.0)
    assert common_stretch([two]) == (1.5, 7.0)


@pytest.mark.parametrize("other", [[], [Epoch(2.0, 3.0)]], ids=["no epoch", "only later ones"])
def test_workers_may_have_no_stretch_in_common(other):
    assert common_stretch([[Epoch(1.0, 2.0)], other]) is None
