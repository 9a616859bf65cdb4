"""What of an epoch a worker really ran, where it was stopped in between.

All times are those of the monotonic clock, which the coordinator and its workers share.
"""

from collections.abc import Sequence

import numpy as np

from keras_bench.worker.protocol import Epoch

#: When a worker was let run, and when it was stopped, in seconds.
Slice = tuple[float, float]


class ActiveClock:
    """The clock of a worker, which stands still while the worker is stopped.

    Args:
        slices: in their order, without overlaps.
    """

    def __init__(self, slices: Sequence[Slice]) -> None:
        self._edges = np.ravel(slices)
        lengths = np.diff(self._edges)
        lengths[1::2] = 0.0
        self._readings = np.concatenate([[0.0], np.cumsum(lengths)])

    def seconds(self, start: float, end: float) -> float:
        """Return how long the worker ran between two points in time."""
        before, after = np.interp((start, end), self._edges, self._readings)
        return float(after - before)

    def epoch_seconds(self, epoch: Epoch) -> float:
        """Return the active time of an epoch."""
        return self.seconds(epoch.start_seconds, epoch.end_seconds)

    def share(self, epoch: Epoch, stretch: Slice) -> float:
        """Return how much of an epoch lies within a stretch of time, of 1, by active time."""
        start = max(epoch.start_seconds, stretch[0])
        end = min(epoch.end_seconds, stretch[1])
        if start >= end:
            return 0.0
        return self.seconds(start, end) / self.epoch_seconds(epoch)


def common_stretch(epochs: Sequence[Sequence[Epoch]]) -> Slice | None:
    """Return the longest stretch of time that the epochs of all workers cover, None for none.

    Args:
        epochs: those of each worker that may count, in their order.
    """
    if not all(epochs):
        return None
    begin = max(known[0].start_seconds for known in epochs)
    end = min(known[-1].end_seconds for known in epochs)
    return (begin, end) if begin < end else None
