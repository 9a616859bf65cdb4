"""Ctrl-C and SIGTERM, put off while something must be done whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """Handle a signal as Python handles Ctrl-C."""
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
    handlers = {number: signal.signal(number, lambda *_: came.set()) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came.is_set():
        raise KeyboardInterrupt
