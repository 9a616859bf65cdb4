"""How long the slices of an arm have to be, by what an epoch takes in them and without."""

import math
from dataclasses import dataclass

#: How many times as long as a free epoch one in slices may take, or as short, before slices become
#: longer. The two are seen one after the other, so the machine's own wandering lies within.
MOST_SLICING = 1.5


@dataclass(frozen=True)
class Pace:
    """What an epoch takes, and how many threads want a core meanwhile, on average.

    That is None where the system doesn't tell, and below 1 where the epoch sleeps or waits.
    """

    epoch_seconds: float
    runnable_threads: float | None


def longer_slice_seconds(
    slice_seconds: float, sliced_epoch_seconds: float, free: Pace
) -> float | None:
    """Return a longer length, infinite for whole epochs, or None where it is long enough.

    An epoch is longer in slices where caches are cold or many threads are woken at each: twice the
    length makes up for it. It is shorter where it sleeps, which goes on while it is stopped: then
    only whole epochs tell its time. One that asks for a core all the time is shorter because the
    machine has become faster meanwhile.
    """
    sliced_to_free = sliced_epoch_seconds / free.epoch_seconds
    if sliced_to_free > MOST_SLICING:
        longer = 2 * slice_seconds
        return longer if longer < free.epoch_seconds / 2 else math.inf
    sleeps = free.runnable_threads is None or free.runnable_threads < 1 / MOST_SLICING
    return math.inf if sliced_to_free < 1 / MOST_SLICING and sleeps else None
