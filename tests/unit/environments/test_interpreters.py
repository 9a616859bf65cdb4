"""What an interpreter holds is what it can import, whatever the distribution is called."""

import json
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from keras_bench.environments import interpreters
from keras_bench.environments.interpreters import probe
from keras_bench.errors import BackendError
from keras_bench.records import Environment


class FakeSitePackages:
    """An environment of the running Python whose packages are folders without any code."""

    def __init__(self, folder: Path) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.python = folder / "bin" / "python"
        self.site = folder / "lib" / version / "site-packages"
        self.python.parent.mkdir(parents=True)
        self.site.mkdir(parents=True)
        self.python.symlink_to(Path(sys.executable).resolve())
        home = Path(sys.executable).resolve().parent
        (folder / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")

    def module(self, name: str, version: str = "", below: Path | None = None) -> None:
        """Write a package, which tells its version as Keras does."""
        folder = (below or self.site) / name
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text("raise ImportError('a probe imports nothing')")
        if version:
            (folder / "src" / "version.py").write_text(f'# Told once.\n__version__ = "{version}"\n')

    def distribution(self, name: str, version: str, *modules: str) -> None:
        """Install one as pip does a wheel, over what is there."""
        metadata = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (metadata / "RECORD").write_text("".join(f"{each}/__init__.py,,\n" for each in modules))
        for each in modules:
            self.module(each, version)

    def found(self) -> Environment:
        return probe({"": str(self.python)})[""].environment


@pytest.fixture
def fake_environment(tmp_path: Path) -> Callable[[str], FakeSitePackages]:
    return lambda name: FakeSitePackages(tmp_path / name)


@pytest.fixture
def environment(fake_environment) -> FakeSitePackages:
    return fake_environment("environment")


def test_an_interpreter_is_asked_for_versions_without_importing_them(environment):
    environment.distribution("keras", "3.15.1", "keras")
    environment.distribution("jax", "0.10.2", "jax")
    found = environment.found()
    assert found.python_version == ".".join(map(str, sys.version_info[:3]))
    assert found.packages == (("jax", "0.10.2"), ("keras", "3.15.1"))
    assert found.distributions == ()
    assert [each for each in ("tensorflow", "jax", "torch") if found.holds(each)] == ["jax"]


@pytest.mark.parametrize(
    ("distribution", "module"),
    [
        ("keras-nightly", "keras"),
        ("tf_nightly", "tensorflow"),
        ("tensorflow-intel", "tensorflow"),
        # One that nobody has heard of.
        ("Someones.TensorFlow", "tensorflow"),
    ],
)
def test_a_module_is_told_with_the_distribution_that_brings_it(environment, distribution, module):
    environment.distribution(distribution, "3.16.0.dev2026102704", "other", module)
    found = environment.found()
    assert found.version_of(module) == "3.16.0.dev2026102704"
    normalized = distribution.lower().replace("_", "-").replace(".", "-")
    assert found.version_text(module) == f"3.16.0.dev2026102704 ({normalized})"


@pytest.mark.parametrize("last", ["keras", "keras-nightly"])
def test_of_two_distributions_in_one_place_counts_the_one_whose_files_are_there(environment, last):
    versions = {"keras": "3.15.1", "keras-nightly": "3.16.0.dev1"}
    first = next(name for name in versions if name != last)
    for name in (first, last):
        environment.distribution(name, versions[name], "keras")
    assert environment.found().version_text("keras") == f"{versions[last]} ({last} over {first})"


def test_what_is_found_first_hides_the_distribution_behind_it(environment, fake_environment):
    base = fake_environment("base")
    base.distribution("keras", "3.15.1", "keras")
    base.distribution("jax", "0.10.2", "jax")
    environment.distribution("keras-nightly", "3.16.0.dev1", "keras")
    (environment.site / "base.pth").write_text(f"{base.site}\n")
    found = environment.found()
    assert found.packages == (("jax", "0.10.2"), ("keras", "3.16.0.dev1"))
    assert found.distributions == (("keras", "keras-nightly"),)


@pytest.mark.parametrize(("told", "version"), [("3.17.0", "3.17.0"), ("", "unknown")])
def test_a_checkout_without_metadata_tells_its_version_itself(
    environment, tmp_path: Path, told: str, version: str
):
    environment.module("keras", told, below=tmp_path / "checkout")
    (environment.site / "checkout.pth").write_text(f"{tmp_path / 'checkout'}\n")
    assert environment.found().version_text("keras") == f"{version} (source)"


def test_an_editable_installation_has_the_version_of_the_checkout_as_it_is_now(
    environment, tmp_path: Path
):
    environment.distribution("keras", "3.15.0")
    environment.module("keras", "3.16.0", below=tmp_path / "checkout")
    (environment.site / "__editable__.keras.pth").write_text(f"{tmp_path / 'checkout'}\n")
    assert environment.found().version_text("keras") == "3.16.0 (source)"


@pytest.mark.parametrize(
    ("name", "top_level"), [("torch", ""), ("torch-cpu", "functorch\ntorch\n")]
)
def test_an_installation_without_a_list_of_its_files_is_told_by_its_name_or_top_level(
    environment, name: str, top_level: str
):
    environment.module("torch", "2.13.0")
    metadata = environment.site / f"{name}.egg-info"
    metadata.mkdir()
    (metadata / "PKG-INFO").write_text(f"Name: {name}\nVersion: 2.13.0+cpu\n")
    (metadata / "top_level.txt").write_text(top_level)
    found = environment.found()
    assert found.version_of("torch") == "2.13.0+cpu"
    assert found.distributions == (() if name == "torch" else (("torch", name),))


def test_a_folder_that_an_uninstalled_package_left_is_no_package(environment):
    (environment.site / "keras" / "datasets").mkdir(parents=True)
    assert environment.found().version_of("keras") is None


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true", "/bin/false", "/"])
def test_what_is_no_interpreter_is_refused_by_name(python: str):
    with pytest.raises(BackendError, match=f"^{python}: ") as caught:
        probe({"jax": python})
    assert "\n" not in str(caught.value)


def test_what_is_too_old_is_refused_with_its_version(tmp_path: Path):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(['3.10.13', {}, []])}'\n")
    python.chmod(0o755)
    with pytest.raises(BackendError, match=r"is Python 3\.10\.13; name one of 3\.11 or newer"):
        probe({"jax": str(python)})


def script(folder: Path, text: str, mode: int = 0o755) -> str:
    file = folder / "python"
    file.write_text(text)
    file.chmod(mode)
    return str(file)


ANSWER = """'["3.12.1", {"keras": "3.15.1"}, []]'"""


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("#!/bin/sh\n", 0o644, "may not be executed"),
        ("#!/nowhere/python\n", 0o755, "the program that its first line names doesn't exist"),
        ("no program\n", 0o755, "can't be started (exec format error)"),
        ("#!/bin/sh\necho hello; exit 3\n", 0o755, "exit code 3, and last printed 'hello'"),
        ("#!/bin/sh\necho '{}' >&2\n", 0o755, "exit code 0, and last printed '{}'"),
        ("#!/bin/sh\necho '[1, 2]'\n", 0o755, "exit code 0, and last printed '[1, 2]'"),
        ("#!/bin/sh\n", 0o755, "exit code 0, and last printed ''"),
    ],
)
def test_why_an_interpreter_is_none_is_said(tmp_path, text, mode, reason):
    python = script(tmp_path, text, mode)
    with pytest.raises(BackendError, match=re.escape(reason)) as caught:
        probe({"jax": python})
    assert str(caught.value).startswith(f"{python}: ")


def test_a_folder_is_no_interpreter(tmp_path):
    with pytest.raises(BackendError, match="is a folder"):
        probe({"jax": str(tmp_path)})


def test_a_banner_before_the_answer_is_passed_over(tmp_path):
    text = f"#!/bin/sh\necho Welcome; echo 'and [more]' >&2; echo {ANSWER}; echo Bye\n"
    assert probe({"jax": script(tmp_path, text)})["jax"].backends == ()


def test_an_interpreter_that_hangs_is_ended_with_what_it_has_started(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "MOST_SECONDS", 0.5)
    python = script(tmp_path, f"#!/bin/sh\nsleep 61 & echo $! > {tmp_path}/child; wait\n")
    with pytest.raises(BackendError, match=r"gave no answer within 0\.5 s"):
        probe({"jax": python})
    child = int((tmp_path / "child").read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(10)
    assert not psutil.pid_exists(child)
