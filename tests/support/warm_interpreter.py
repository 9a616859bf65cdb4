"""An interpreter that has a framework imported already: each of its workers is a fork.

What a worker imports takes it three to six seconds of processor time, and a parity check starts
six workers. `warm_interpreter` gives a file that is called as the interpreter of an environment is:
`FILE -m keras_bench.worker REPLY_FD` becomes a child of a server in that environment, with the
caller's descriptors, variables and folder; whatever else it is called with is passed on to the
real interpreter. The real worker runs, on the real framework. It isn't in the process group of what
the caller has started, so it can't be stopped: nothing is measured in slices with it.

`python warm_interpreter.py SOCKET BACKEND` is the server.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import stat
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from framework_variables import framework_variables

_CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
if sys.argv[1:3] != ["-m", "keras_bench.worker"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
start = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
reply = int(sys.argv[3])
socket.send_fds(server, [len(start).to_bytes(4, "big")], [0, 1, 2, reply])
server.sendall(start)
# The worker's ends of the pipes are its own alone, and are closed with it.
for descriptor in (0, 1, 2, reply):
    os.close(descriptor)
status = int.from_bytes(server.recv(4), "big", signed=True)
if status < 0:
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@contextmanager
def warm_interpreter(python: str, backend: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Start a server in the environment of an interpreter, and give the file that stands for it.

    `variables` are those that the framework reads when it is imported.
    """
    # Not below pytest's folders: the path of a socket has room for a hundred characters.
    with TemporaryDirectory(prefix="warm-") as name:
        folder = Path(name)
        address, file = str(folder / "socket"), folder / "python"
        file.write_text(_CLIENT.format(python=python, address=address))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        command = [python, __file__, address, backend]
        given = framework_variables(backend, folder, **variables)
        with subprocess.Popen(command, env=given, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n", f"{backend} can't be imported"
                yield str(file)
            finally:
                server.kill()


def _serve(address: str, backend: str) -> None:
    importlib.import_module(backend)
    importlib.import_module("keras")
    # JAX warns of any fork; no computation has been done here whose threads a child would miss.
    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _watch(client)
            client.close()


def _watch(client: socket.socket) -> None:
    """Fork the worker, tell the client how it has ended, and end it where the client is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, descriptors, _, _ = socket.recv_fds(client, 4, 4)
    arguments, variables, folder = json.loads(_exactly(client, int.from_bytes(length, "big")))
    # What is written to is held by the worker alone, and says by its end that the worker has ended.
    ended, held = os.pipe()
    worker = os.fork()
    if worker == 0:
        client.close()
        os.close(ended)
        _work(arguments, variables, folder, descriptors)
    for descriptor in (*descriptors, held):
        os.close(descriptor)
    readable, _, _ = select.select([ended, client], [], [])
    if ended not in readable:
        os.killpg(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    if ended in readable:
        client.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    os._exit(0)


def _work(arguments: list[str], variables: dict[str, str], folder: str, given: list[int]) -> None:
    os.setsid()
    stdin, stdout, stderr, reply = given
    for descriptor, place in ((stdin, 0), (stdout, 1), (stderr, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.update(variables)  # Beside those that the framework reads.
    # The interpreter reads it at its start; here it has started long ago.
    sys.path[0:1] = variables["PYTHONPATH"].split(os.pathsep)
    _, module, _ = arguments
    sys.argv = [module, str(reply)]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    os._exit(0)


def _exactly(client: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length and (chunk := client.recv(length - len(received))):
        received += chunk
    return received


if __name__ == "__main__":
    _serve(*sys.argv[1:])
