"""Environments are made for real, by venv and pip, from an index on loopback."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD, workload_in
from package_index import ALONE, package_index, write_wheel

from keras_bench.environments.cache import Cache
from keras_bench.environments.finding import Environments
from keras_bench.environments.makers import PipMaker, python_of
from keras_bench.environments.pythons import running_python
from keras_bench.environments.recipes import own_recipe, recipe_with, suite_constraints
from keras_bench.errors import BackendError
from keras_bench.measure.process import launcher
from keras_bench.worker.protocol import TimingRequest

PINNED = dict(each.split("==") for each in suite_constraints())
OLDER_KERAS = "3.11.0"
BROKEN_KERAS = "3.12.1"

#: More than a machine under load takes to start pip.
PATIENCE_SECONDS = 300.0


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """Packages by the names of the real ones, with nothing in them."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in (PINNED["keras"], OLDER_KERAS):
        write_wheel(folder, "keras", version, f"__version__ = {version!r}")
    write_wheel(folder, "keras", BROKEN_KERAS, "raise RuntimeError('not this Keras')")
    write_wheel(folder, "jax", PINNED["jax"], needs=("jaxlib",))
    for version in ("1.0", PINNED["jaxlib"]):
        write_wheel(folder, "jaxlib", version, tag="py3-none-any")
    write_wheel(folder, "compiled", "1.0", tag=compiled_tag())
    write_wheel(folder, "torch", PINNED["torch"])
    return folder


def compiled_tag() -> str:
    """The tag of a wheel for this interpreter and system alone."""
    code = "from pip._internal.utils.compatibility_tags import get_supported as g; print(g()[0])"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def served(wheels: Path):
    with package_index(wheels) as (index, address):
        yield index, address


@pytest.fixture
def index(served, monkeypatch):
    """The index, as the only one that pip knows."""
    index, address = served
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in {**ALONE, "PIP_INDEX_URL": address}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(index, "refuses_with", None)
    return index


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A cache that tests share: JAX's own environment is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def finder(folder: Path, index) -> Environments:
    return Environments(Cache(folder), PipMaker(), print)


def versions_in(python: str) -> dict[str, str]:
    """What an interpreter finds, by name; of two versions the first on its path."""
    code = (
        "import json\nfrom importlib.metadata import distributions\nfound = {}\n"
        "for each in distributions(): found.setdefault(each.metadata['Name'], each.version)\n"
        "print(json.dumps(found))"
    )
    answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def test_another_keras_is_a_folder_before_the_backends_own(finder):
    own = finder.own("jax")
    assert versions_in(own)["keras"] == PINNED["keras"]
    other = finder.place(f"keras=={OLDER_KERAS}", "jax").python
    found = versions_in(other)
    assert (found["keras"], found["jax"]) == (OLDER_KERAS, PINNED["jax"])
    assert versions_in(own)["keras"] == PINNED["keras"]
    imported = [other, "-c", "import keras; print(keras.__version__)"]
    assert subprocess.check_output(imported, text=True).strip() == OLDER_KERAS
    sizes = {entry.base: entry.size_bytes for entry in finder.cache.entries()}
    (base,) = filter(None, sizes)
    # Not even pip is in it.
    assert sizes[base] < sizes[None] / 10


def test_what_is_compiled_is_no_folder_before_another(finder, tmp_path: Path):
    base = Path(finder.own("jax")).parents[1]
    recipe = recipe_with(own_recipe("jax", suite_constraints(), running_python()), ["compiled"])
    assert not PipMaker().make_on(base, recipe, tmp_path / "other", tmp_path / "log")
    assert not (tmp_path / "other").exists()


def test_a_project_is_installed_as_it_is(finder, tmp_path: Path, monkeypatch):
    project = tmp_path / "mine"
    (project / "src_mine").mkdir(parents=True)
    (project / "src_mine" / "__init__.py").write_text("HERE = 1")
    # A backend of the project's own: nothing is built by what an index has.
    (project / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1.5"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (project / "backend.py").write_text(
        "import zipfile\n"
        "def build_wheel(folder, settings=None, metadata=None):\n"
        "    name = 'mine-1.5-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(f'{folder}/{name}', 'w') as wheel:\n"
        "        wheel.write('src_mine/__init__.py', 'mine/__init__.py')\n"
        "        about = 'mine-1.5.dist-info'\n"
        "        wheel.writestr(f'{about}/METADATA',"
        " 'Metadata-Version: 2.1\\nName: mine\\nVersion: 1.5\\n')\n"
        "        wheel.writestr(f'{about}/WHEEL',"
        " 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')\n"
        "        wheel.writestr(f'{about}/RECORD', '')\n"
        "    return name\n"
    )
    python = finder.place(str(project), "jax").python
    assert versions_in(python)["mine"] == "1.5"
    (project / "src_mine" / "__init__.py").write_text("HERE = 2")
    changed = finder.place(str(project), "jax").python
    printed = [changed, "-c", "import mine; print(mine.HERE)"]
    assert subprocess.check_output(printed, text=True).strip() == "2"
    # A project that can't be built is its maker's fault, and leaves nothing.
    (project / "backend.py").write_text("raise RuntimeError('not on Mondays')")
    with pytest.raises(BackendError, match="its build fails with RuntimeError: not on Mondays"):
        finder.place(str(project), "jax")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(403, "an index doesn't answer (403 Client Error: Forbidden)"), (404, "satisfies the requir")],
)
def test_an_index_that_refuses_is_the_reason(finder, index, monkeypatch, code: int, reason: str):
    finder.own("jax")
    monkeypatch.setattr(index, "refuses_with", code)
    with pytest.raises(BackendError) as caught:
        finder.place("keras==3.12", "jax")
    said = str(caught.value)
    assert reason in said
    assert "\n" not in said
    # A stored failure names no folder: it is told below the cache.
    log = said.rpartition("see ")[2].partition(" in the cache")[0]
    assert "keras==3.12" in (finder.cache.folder / log).read_text()


def test_without_a_network_that_is_the_reason(finder, monkeypatch):
    finder.own("jax")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    with pytest.raises(BackendError, match=r"an index doesn't answer \(.*refused\)"):
        finder.place("keras==3.12", "jax")


def test_a_disk_that_is_full_is_the_reason_and_nothing_is_left(tiny_disk: Path, index):
    finder = Environments(Cache(tiny_disk), PipMaker(), print)
    with pytest.raises(BackendError, match="no space is left on the disk"):
        finder.own("jax")
    assert not list(tiny_disk.glob("environments/*/*"))


def test_ctrl_c_while_it_installs_leaves_nothing(index, start_cli, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(index, "silent", threading.Event())
    process = start_cli("environments", "--make=jax", f"--cache={tmp_path / 'cache'}")
    assert index.silent.wait(PATIENCE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in said
    left = [path.name for path in (tmp_path / "cache" / "environments").iterdir()]
    assert [name for name in left if not name.endswith(".lock")] == []


def test_a_keras_that_installs_and_breaks_at_import_is_named(
    index, jax_python: str, tmp_path: Path
):
    # On the real environment of JAX, for a worker needs more than the packages of this index.
    own = own_recipe("jax", suite_constraints(), running_python())
    recipe, folder = recipe_with(own, [f"keras=={BROKEN_KERAS}"]), tmp_path / "broken"
    assert PipMaker().make_on(Path(jax_python).parents[1], recipe, folder, tmp_path / "log")
    (tmp_path / "mine.py").write_text(SMALL_WORKLOAD)
    request = TimingRequest(
        workload=workload_in(tmp_path / "mine.py"), backend="jax", seed=0, epochs=3
    )
    with launcher(PATIENCE_SECONDS) as workers, pytest.raises(BackendError) as caught:
        workers.run(str(python_of(folder)), request)
    assert "breaks at import with RuntimeError: not this Keras" in str(caught.value)
    assert "mine.py" not in str(caught.value)


def test_a_python_without_venv_names_debians_package(index, tmp_path: Path, monkeypatch):
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\necho The virtual environment was not created successfully because ensurepip is"
        " not available.; exit 1"
    )
    python.chmod(0o755)
    monkeypatch.setattr("keras_bench.environments.makers.sys.executable", str(python))
    finder = Environments(Cache(tmp_path / "cache"), PipMaker(), print)
    with pytest.raises(BackendError, match=r"has no ensurepip, .* in python3\.\d+-venv"):
        finder.own("jax")


def test_torch_for_the_cpu_is_asked_of_uv_unless_an_index_is_named(
    index, tmp_path: Path, monkeypatch
):
    asked = tmp_path / "asked"
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    # It can't reach PyTorch's index, so the plain build is taken.
    uv.write_text(f'#!/bin/sh\necho "$@" >> {asked}; exit 2')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("keras_bench.environments.makers.sys.platform", "linux")
    Environments(Cache(tmp_path / "named"), PipMaker(), print).own("torch")
    assert not asked.exists()

    monkeypatch.setattr("keras_bench.environments.makers.PIP_INDEXES", ())
    said = []
    python = Environments(Cache(tmp_path / "none"), PipMaker(), said.append).own("torch")
    assert "--torch-backend cpu" in asked.read_text()
    assert versions_in(python)["torch"] == PINNED["torch"]
