"""How long the slices of an arm have to be."""

import math

import pytest

from keras_bench.measure.slice_length import Pace, longer_slice_seconds


@pytest.mark.parametrize(
    ("sliced_seconds", "slice_seconds", "expected"),
    [
        (1.02, 0.04, None),
        (0.9, 0.04, None),
        (4.0, 0.04, 0.08),
        (1.6, 0.2, 0.4),
        (1.6, 0.6, math.inf),
    ],
)
def test_slices_are_doubled_up_to_whole_epochs(sliced_seconds, slice_seconds, expected):
    found = longer_slice_seconds(slice_seconds, sliced_seconds, Pace(1.0, 1.0))
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("runnable_threads", "expected"),
    [(0.0, math.inf), (0.5, math.inf), (None, math.inf), (0.9, None), (1.7, None)],
)
def test_whole_epochs_are_for_those_that_sleep_while_they_are_stopped(runnable_threads, expected):
    # One that wants a core all the time is faster because the machine is.
    assert longer_slice_seconds(0.04, 0.5, Pace(1.0, runnable_threads)) == expected
