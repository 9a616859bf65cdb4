"""Ctrl-C, SIGTERM and SIGHUP: each ends a command, which saves what it has."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: The last comes when a terminal is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def handle_as_interrupts() -> None:
    """Handle these signals as Python handles Ctrl-C, but for what is ignored, as nohup lets it."""
    for number in SIGNALS[1:]:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_interrupt)


def _raise_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[None]:
    """Raise KeyboardInterrupt for a signal that comes meanwhile only at the end.

    By a handler and not by ignoring or blocking, which a process started meanwhile would inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread alone.
        return
    came = threading.Event()
    handlers = {
        number: signal.signal(number, lambda *_: came.set())
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came.is_set():
        raise KeyboardInterrupt
