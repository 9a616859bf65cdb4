"""A worker of a group: when it ran, and what of its epochs lies within."""

import math
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import fmean

from keras_bench.measure.active_time import ActiveClock, Slice
from keras_bench.measure.process import Worker
from keras_bench.records import Arm, Sample
from keras_bench.worker.protocol import Epoch

#: How much of an epoch may lie before a stretch that it counts in: the coordinator hears of the end
#: of an epoch, and stops the worker, when the next one has just begun.
MOST_BEFORE = 0.02


@dataclass(eq=False)
class Member:
    """An arm of the group, its worker, and the slices in which that ran.

    `slice_seconds` is infinite where slices end with epochs.
    """

    arm: Arm
    worker: Worker
    slice_seconds: float
    slices: list[Slice] = field(default_factory=list)
    sliced_to_free: float | None = None
    _since: float | None = field(default_factory=time.monotonic)

    def go(self) -> None:
        """Let it run; it runs from its start on."""
        if self._since is None:
            # Before the signal, and after that which stops it: the coordinator may lose its own
            # core in between, and no epoch is to lie outside of a slice.
            self._since = time.monotonic()
            self.worker.signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop it, with all its threads and children."""
        if self._since is not None:
            self.worker.signal(signal.SIGSTOP)
            self.slices.append((self._since, time.monotonic()))
            self._since = None

    def run_on(self) -> None:
        """Count what it ran so far, and let it run."""
        if self._since is not None:
            now = time.monotonic()
            self.slices.append((self._since, now))
            self._since = now

    def needed_slice_seconds(self) -> float:
        """Return how long its slices are; where they end with epochs, how long the last one was."""
        if not math.isinf(self.slice_seconds):
            return self.slice_seconds
        begin, end = self.slices[-1]
        return end - begin

    def ran_since(self, start: float) -> float:
        """Return how long it ran after a point in time."""
        return sum(end - max(start, begin) for begin, end in self.slices if end > start)

    def mean_epoch_seconds(
        self, epochs: Sequence[Epoch], weights: Sequence[float] | None = None
    ) -> float:
        """Return the mean active time of epochs; those without a weight don't count."""
        clock = ActiveClock(self.slices)
        counting = epochs if weights is None else epochs[: len(weights)]
        return fmean([clock.epoch_seconds(epoch) for epoch in counting], weights=weights)

    def epochs_ended_since(self, start: float) -> list[Epoch]:
        """Return the epochs that ended after a point in time."""
        return [epoch for epoch in self.worker.epochs if epoch.end_seconds > start]

    def epochs_since(self, start: float) -> list[Epoch]:
        """Return the epochs that it ran after a point in time and that may count.

        Where slices end with epochs, those lie wholly within one: what sleeps goes on sleeping
        while it is stopped.
        """
        later = self.epochs_ended_since(start)
        if later and later[0].start_seconds < start:
            share = ActiveClock(self.slices).share(later[0], (start, math.inf))
            later = later if share >= 1 - MOST_BEFORE else later[1:]
        if not math.isinf(self.slice_seconds):
            return later
        return [epoch for epoch in later if self._is_uncut(epoch)]

    def shares(self, start: float, stretch: Slice) -> tuple[float, ...]:
        """Return how much of each epoch lies within a stretch, of those that may count."""
        clock, counting = ActiveClock(self.slices), set(self.epochs_since(start))
        return tuple(
            clock.share(epoch, stretch) if epoch in counting else 0.0
            for epoch in self.worker.epochs
        )

    def was_stopped_in(self, epoch: Epoch) -> bool:
        """Tell whether an epoch lies between two slices, and thus in none."""
        return any(
            stopped <= epoch.start_seconds and epoch.end_seconds <= continued
            for (_, stopped), (continued, _) in pairwise(self.slices)
        )

    def in_active_time(self, sample: Sample, shares: tuple[float, ...]) -> Sample:
        """Return what its worker answered, with epochs, or calls, that took active time.

        `shares` say how much of each epoch counts; those after them don't.
        """
        clock = ActiveClock(self.slices)
        active = tuple(
            seconds * clock.epoch_seconds(epoch) / (epoch.end_seconds - epoch.start_seconds)
            for seconds, epoch in zip(sample.epoch_seconds, self.worker.epochs, strict=True)
        )
        return replace(
            sample,
            epoch_seconds=active,
            counted=(*shares, *[0.0] * (len(active) - len(shares))),
            slice_seconds=None if math.isinf(self.slice_seconds) else self.slice_seconds,
            sliced_to_free=self.sliced_to_free,
        )

    def _is_uncut(self, epoch: Epoch) -> bool:
        return any(
            begin <= epoch.start_seconds and epoch.end_seconds <= end for begin, end in self.slices
        )
