"""What happens in other processes, waited for and looked at."""

import subprocess
import time
from collections.abc import Callable

import psutil

PATIENCE_SECONDS = 120.0

#: The command line as a process of its own, whose runs draw no page: that takes seconds. A shell
#: that starts the tests in the background lets them ignore Ctrl-C, which is sent to it here.
START_WITHOUT_PAGE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import keras_bench.commands.run
from keras_bench.cli import main

keras_bench.commands.run._write_page = lambda *_: None
main()
"""


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Block until something holds, for as long as the process runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that a process has started, and those that they have."""
    return psutil.Process(process.pid).children(recursive=True)
