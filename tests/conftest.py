"""What several kinds of tests share: the command line as a user calls it, and interpreters."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from chromium import installed_chromium, running
from fake_maker import FakeMaker
from fake_worker import write_fake_interpreter
from processes import START_WITHOUT_PAGE

from keras_bench.environments.cache import Cache, cache_folder
from keras_bench.environments.finding import Environments
from keras_bench.environments.makers import chosen_maker
from keras_bench.errors import BackendError
from keras_bench.interrupts import SIGNALS
from keras_bench.records import BACKENDS

#: Where the frameworks' environments are, which `nox -s tests` has made; read before a test has a
#: cache of its own.
CACHE = cache_folder()


@pytest.fixture(scope="session", autouse=True)
def outer_pytest_is_no_business_of_children() -> None:
    """Keep what pytest-xdist says to its workers from a pytest that a test itself runs."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        del os.environ[name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="draw simulations in full; a tenth by default"
    )


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[..., str]:
    """Make an interpreter that holds every backend and whose worker behaves as told."""

    def make(*behaviour: str, **parity: str) -> str:
        file = tmp_path / f"python{len(list(tmp_path.glob('python*')))}"
        write_fake_interpreter(file, *behaviour, **parity)
        return str(file)

    return make


@pytest.fixture(scope="session")
def python_of(pytestconfig: pytest.Config) -> Callable[[str], str]:
    """Return the interpreter of a backend: of the environment that `--keras-bench-env` names, which
    is made if need be, or of the backend's own.
    """
    named = dict(pytestconfig.getoption("keras_bench_env"))

    @cache
    def find(backend: str) -> str:
        if backend in named:
            finder = Environments(Cache(CACHE), chosen_maker(), print)
            return finder.place(named[backend], backend).python
        try:
            return _made(backend)
        except BackendError as missing:
            pytest.skip(str(missing))

    return find


@pytest.fixture(scope="session")
def jax_python(python_of: Callable[[str], str]) -> str:
    """The interpreter of JAX's environment."""
    return python_of("jax")


@pytest.fixture(scope="session")
def pythons(python_of: Callable[[str], str]) -> dict[str, str]:
    """The interpreters of the three backends, which `nox -s "tests(full)"` makes."""
    return {backend: python_of(backend) for backend in BACKENDS}


@pytest.fixture(scope="session")
def openvino_python() -> str | None:
    """The interpreter of OpenVINO's environment, where `nox -s predict` has made it."""
    with suppress(BackendError):
        return _made("openvino")
    return None


def _made(backend: str) -> str:
    return Environments(Cache(CACHE), chosen_maker(), print, may_make=False).own(backend)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch) -> Path:
    """A cache of environments, and a lock of the machine, of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KERAS_BENCH_CACHE", str(folder))
    # No other run is waited for.
    monkeypatch.setenv("KERAS_BENCH_LOCK", str(tmp_path / "machine.lock"))
    return folder


@pytest.fixture
def maker(monkeypatch) -> FakeMaker:
    """What makes environments for commands that `run_cli` runs: fake ones."""
    fake = FakeMaker()
    monkeypatch.setattr("keras_bench.environments.finding.chosen_maker", lambda: fake)
    return fake


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium, without a window."""
    path = installed_chromium()
    if path is None:
        reason = "there is no Chromium: apt-get install chromium, or your system's like"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running(path) as started:
        yield started


@pytest.fixture
def command_folder(tmp_path: Path) -> Path:
    """The folder in which the command line is called."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    return folder


@pytest.fixture
def temporary_folder(tmp_path: Path) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@pytest.fixture
def run_cli(
    command_folder: Path, temporary_folder: Path, maker: FakeMaker, monkeypatch, capsys
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line to its end, in the process of the test."""
    from keras_bench.cli import main

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        with monkeypatch.context() as patch:
            patch.chdir(command_folder)
            patch.setattr("tempfile.tempdir", str(temporary_folder))
            # What the tests find is nothing for the page of the workflow that runs them.
            for name in [name for name in os.environ if name.startswith("GITHUB_")]:
                patch.delenv(name)
            for name, value in variables.items():
                patch.setenv(name, value)
            try:
                main(arguments)
            except SystemExit as end:
                exit_code = end.code or 0
            else:
                exit_code = 0
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        stdout, stderr = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, exit_code, stdout, stderr)

    return run


@pytest.fixture
def no_page(monkeypatch) -> None:
    """Let runs draw no page, which takes seconds."""
    monkeypatch.setattr("keras_bench.commands.run._write_page", lambda *_: None)


@pytest.fixture
def start_cli(
    command_folder: Path, temporary_folder: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line as a process of its own: one that can be sent signals, or killed."""
    started = []
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", START_WITHOUT_PAGE, *arguments],
            cwd=command_folder,
            env={**surroundings, "TMPDIR": str(temporary_folder), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def tiny_disk(tmp_path):
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root and the command mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"this root may not mount a disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
