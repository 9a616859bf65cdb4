"""Lets a training go on only when it is its turn, so that several can share a machine's moods.

The speed of a machine wanders by some per cent within seconds. Workers that are alive at the
same time and train an epoch in turn meet the same weather; one after the other they don't.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from keras_bench.worker.protocol import STOP, Turn


class Turns:
    """Counts the epochs of a turn and waits at its end for the next one."""

    def __init__(
        self,
        after_epochs: int,
        cpu: int | None,
        reply: Callable[[str, Any], None],
        hear: Callable[[], str],
    ) -> None:
        self._left = after_epochs
        self._cpu = cpu
        self._reply = reply
        self._hear = hear

    def epoch_ended(self, seconds: float) -> bool:
        """Wait for the next turn if this one has ended; tell whether to go on training."""
        self._left -= 1
        if self._left > 0:
            return True
        if self._cpu is not None:
            _pin(self._cpu)
            self._cpu = None
        self._reply("turn", Turn(seconds))
        word = self._hear().strip()
        if word == STOP:
            return False
        self._left = int(word)
        return True


def _pin(cpu: int) -> None:
    """Keep all threads of this process on one core, those of the framework's pools too."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # A thread may have ended meanwhile.
            os.sched_setaffinity(int(task.name), {cpu})
