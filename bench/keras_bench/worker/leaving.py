"""Leaves a training in the middle of an epoch, once the coordinator has seen enough of it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Left(BaseException):
    """The training is over, within an epoch. No `Exception`: a workload may catch every one."""


class Leaving:
    """Whether the coordinator has asked for the end, and how it comes about.

    To be made in the main thread. Where the asking doesn't get through, because what runs swallows
    every exception, `is_asked` still tells at the end of the epoch.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._main_thread = threading.get_ident()
        self._may_leave = False
        # A signal from anybody else means nothing; the terminal's Ctrl-C doesn't reach a worker.
        signal.signal(signal.SIGINT, lambda number, frame: self._leave())

    def ask(self) -> None:
        """Let the main thread leave what it may leave."""
        self.is_asked = True
        # A signal to it, which wakes it where it sleeps.
        signal.pthread_kill(self._main_thread, signal.SIGINT)

    @contextmanager
    def possible(self) -> Iterator[None]:
        """Let the block be left when that is asked for."""
        self._may_leave = True
        try:
            yield
        except Left:
            pass
        finally:
            self._may_leave = False

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Let a part of such a block come to its end."""
        could, self._may_leave = self._may_leave, False
        yield
        self._may_leave = could
        self._leave()

    def _leave(self) -> None:
        if self.is_asked and self._may_leave:
            self._may_leave = False  # Once: what is being left may take its time.
            raise Left
