"""A fake interpreter: it answers as one that holds every backend, and its worker does as told.

It speaks the worker's protocol without a framework. What a test lets it do is Python code, which
finds these names:

- `asked`, `request`: the name of what the coordinator asks, and its fields.
- `say(key, value)`: send an answer.
- `hear()`: block until the coordinator says another line, and return it.
- `epoch(seconds)`: train an epoch for so long, tell of it, and return whether to go on.
- `sample(epoch_seconds, claimed_seconds)`: train such epochs until it is told to end, and answer
  with a sample. What it tells of their CPU time is free of noise; of their wall time, where it is
  to claim one.
"""

import stat
import sys
from pathlib import Path

from keras_bench.records import BACKENDS
from keras_bench.worker.protocol import READY

_SOURCE = """#!{python} -I
import json, os, queue, sys, threading, time
if "-m" not in sys.argv:
    versions = dict(keras="3.0", jax="1", torch="2", tensorflow="3", numpy="2", openvino="1")
    print(json.dumps(["3.11.0", versions, []]))
    sys.exit()
reply = int(sys.argv[-1])
((asked, request),) = json.loads(sys.stdin.readline()).items()
with open(__file__ + ".asked", "a") as file:
    file.write(asked + "\\n")
inbox = queue.SimpleQueue()

def listen():
    for line in sys.stdin:
        inbox.put(line.strip())
    os._exit(1)

threading.Thread(target=listen, daemon=True).start()

def say(key, value):
    os.write(reply, (json.dumps({{key: value}}) + "\\n").encode())

def hear():
    return inbox.get()

lasted = []

def epoch(seconds):
    start, cpu_start = time.monotonic(), time.thread_time()
    # Work, and no wall time, which goes on while the process is stopped.
    while time.thread_time() < cpu_start + seconds:
        pass
    end = time.monotonic()
    lasted.append(end - start)
    say("epoch", dict(start_seconds=start, end_seconds=end))
    return inbox.empty()

def sample(epoch_seconds=0.002, claimed_seconds=None):
    epoch_seconds += request.get("added_cpu_seconds", 0.0)
    while epoch(epoch_seconds) and len(lasted) != request["epochs"]:
        pass
    epochs = len(lasted)
    say("sample", dict(
        import_seconds=0.0, build_seconds=0.0,
        epoch_seconds=lasted if claimed_seconds is None else [claimed_seconds] * epochs,
        epoch_cpu_seconds=[claimed_seconds or epoch_seconds] * epochs,
        losses=[] if asked == "predicting" else [0.5] * epochs,
        examples=100, peak_rss_bytes=10**8, jit_compile=True, intra_op_threads=None,
        inter_op_threads=None, os_threads=3, cpus=[0]))

if asked in ("parity", "free_training", "loop_parity", "predictions"):
{parity}
else:
    if request["epochs"] is None:
        say("stage", {ready!r})
        hear()
{behaviour}
"""

_NO_PARITY = 'say("problem", dict(kind="unchecked", message="has no parity", traceback=""))'


def write_fake_interpreter(file: Path, behaviour: str, parity: str = _NO_PARITY) -> None:
    """Write an interpreter whose worker does this; `parity` where it is asked for an agreement."""
    file.write_text(
        _SOURCE.format(
            python=sys.executable,
            ready=READY,
            behaviour=_indented(behaviour),
            parity=_indented(parity),
        )
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def env_options(python: str) -> list[str]:
    """Return the options that make an interpreter that of every backend that trains."""
    return [f"--env={backend}={python}" for backend in BACKENDS]


def asked_of(python: str) -> list[str]:
    """Return what workers of a fake interpreter were asked, in their order."""
    file = Path(python + ".asked")
    return file.read_text().split() if file.exists() else []


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in [*code.splitlines(), "pass"])
