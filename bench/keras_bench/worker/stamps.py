"""Tells the coordinator when each epoch began and ended, and hears from it when to end.

The coordinator stops and continues this process from outside; what of an epoch lies within its
own slices is the coordinator's to say.
"""

# By their own names: a workload may put others in their places in the module.
from collections.abc import Callable
from time import monotonic, process_time
from typing import Any

from keras_bench.worker.leaving import Leaving
from keras_bench.worker.protocol import Epoch


class Stamps:
    """The epochs so far: by wall time, which goes on while the process is stopped, and CPU time."""

    def __init__(
        self,
        epochs: int | None,
        reply: Callable[[str, Any], None],
        leaving: Leaving,
    ) -> None:
        self._epochs = epochs
        self._reply = reply
        self.leaving = leaving
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.begin()

    def begin(self) -> None:
        """Let the next epoch begin now."""
        self._start, self._cpu_start = monotonic(), process_time()

    def end(self, calls: int = 1) -> bool:
        """End an epoch, or a block of so many calls; tell whether to go on.

        What the telling takes is part of no epoch.
        """
        end, cpu_end = monotonic(), process_time()
        self.seconds.append((end - self._start) / calls)
        self.cpu_seconds.append((cpu_end - self._cpu_start) / calls)
        self._reply("epoch", Epoch(self._start, end))
        enough = self._epochs is not None and len(self.seconds) >= self._epochs
        go_on = not (enough or self.leaving.is_asked)
        self.begin()
        return go_on
