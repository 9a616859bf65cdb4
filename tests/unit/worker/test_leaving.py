"""A training that is left in the middle of an epoch, in threads and processes of the test's own."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import threading, time
from keras_bench.worker.leaving import Leaving

leaving = Leaving()
done = []

def ask_soon():
    threading.Timer(0.2, leaving.ask).start()

{body}
print(*done, leaving.is_asked)
"""


def printed(body: str) -> str:
    program = PROGRAM.format(body=textwrap.dedent(body))
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stderr == ""
    return answer.stdout.strip()


@pytest.mark.parametrize(
    "within",
    [
        "while True: pass",
        "time.sleep(60)",
        # A workload may catch every Exception.
        "while True:\n        try: time.sleep(0.01)\n        except Exception: pass",
    ],
    ids=["computing", "sleeping", "catching"],
)
def test_what_may_be_left_is_left_when_it_is_asked_for(within: str):
    body = f"ask_soon()\nwith leaving.possible():\n    {within}\ndone.append('after')"
    assert printed(body) == "after True"


def test_what_is_put_off_comes_to_its_end_first():
    body = """
    ask_soon()
    with leaving.possible():
        with leaving.put_off():
            time.sleep(0.4)
            done.append("told")
        done.append("never")
    done.append("after")
    """
    assert printed(body) == "told after True"


def test_nothing_else_is_left():
    body = """
    with leaving.possible():
        done.append("trained")
    ask_soon()
    time.sleep(0.4)
    done.append("answered")
    """
    assert printed(body) == "trained answered True"


def test_a_signal_of_anybody_else_is_none_of_its_business():
    body = """
    import os, signal
    with leaving.possible():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        done.append("trained")
    """
    assert printed(body) == "trained False"


def test_where_it_is_swallowed_it_stays_asked_for():
    body = """
    ask_soon()
    with leaving.possible():
        while not leaving.is_asked:
            try:
                time.sleep(0.1)
            except BaseException:
                done.append("swallowed")
        time.sleep(0.4)
        done.append("end of the epoch")
    """
    assert printed(body) == "swallowed end of the epoch True"
