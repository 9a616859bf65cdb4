"""Finds the interpreter of every backend that a command needs, and makes what isn't there."""

import shlex
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from keras_bench.environments.cache import Cache, cache_folder
from keras_bench.environments.interpreters import (
    Interpreter,
    probe,
    require,
    this_python,
    this_python_has,
)
from keras_bench.environments.makers import Maker, brings_cuda, chosen_maker
from keras_bench.environments.pythons import Python, find_python, running_python
from keras_bench.environments.recipes import (
    FRAMEWORKS,
    Recipe,
    Source,
    names_any,
    own_recipe,
    pinned,
    recipe_with,
    suite_constraints,
)
from keras_bench.environments.sources import commit_of, source_of, top_of, unpack
from keras_bench.environments.specs import (
    FolderSpec,
    InterpreterSpec,
    RevisionSpec,
    Spec,
    parse_spec,
)
from keras_bench.errors import BackendError, UsageError
from keras_bench.records import BACKENDS, BACKENDS_OF, EnvironmentChoice, Task

#: What stands for the interpreter that runs the suite, in the place of a spec.
THIS = "."

#: What an environment holds for which nothing is asked.
OWN_VERSIONS = "keras-bench's own versions"

#: About what the environment of a backend takes on the disk, measured with Python 3.11 on Linux.
GIGABYTES = {"tensorflow": 1.6, "jax": 0.7, "torch": 1.1, "openvino": 0.5}

#: What a user is told of PyTorch where its build for the CPU can't be asked for.
WITH_CUDA = (
    "(PyPI's torch for Linux brings CUDA besides, 2.7 GB to download; with uv installed,"
    " keras-bench takes the build for the CPU)"
)

#: Why a backend is refused that only predicts.
NO_TRAINING = "Keras can't train on this backend, only predict"
PREDICT_INSTEAD = "measure that, with `keras-bench run --task predict`"


@dataclass(frozen=True)
class Checkout:
    """The files of the repository at `top` as they were at a commit, in the folder `unpacked`."""

    top: Path
    unpacked: Path


@dataclass(frozen=True)
class Place:
    """Where workers run: an interpreter, and what belongs to it if a git revision is asked for.

    `workloads` is the folder of the suite's workloads at a revision of the suite itself, and
    `checkout` the files of a revision of any other repository. `holds` says what of the revision
    the environment holds, such as "its package", empty if nothing.
    """

    python: str
    workloads: Path | None = None
    checkout: Checkout | None = None
    holds: str = ""


@dataclass(frozen=True)
class Environments:
    """Finds environments in a cache, and makes those that aren't there where it may.

    `tell` shows the user a line, and `busy` shows one for as long as something is made. `python`
    is what they are made with, None for the interpreter that runs the suite. `additions` are the
    requirements and the folders of projects that go into every environment that is made, besides
    what is asked for it.
    """

    cache: Cache
    maker: Maker
    tell: Callable[[str], None]
    may_make: bool = True
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext
    python: Python | None = None
    additions: tuple[str | Path, ...] = ()

    def interpreters(
        self, asked: Sequence[str], named: Mapping[str, str], task: Task = "train"
    ) -> dict[str, Interpreter]:
        """Return the interpreters of the backends that are asked for.

        Where none is asked for they are those named by a spec, or all that train. A backend's
        interpreter is the one named, or else the one that runs the suite if it holds that backend
        alone and all additions, or else one that is made.

        Raises:
            UsageError: a backend can't do the task, or a spec is none.
            BackendError: an environment lacks its backend, or can't be made.
        """
        backends = tuple(asked) or tuple(named) or BACKENDS
        for backend in backends:
            if backend not in BACKENDS_OF[task]:
                raise UsageError(backend, NO_TRAINING, PREDICT_INSTEAD)
        here = self._here(backends, named) if all(map(this_python_has, self.additions)) else None
        found = probe(
            {
                backend: self._there(backend, named, here) or self.own(backend)
                for backend in backends
            }
        )
        for backend, interpreter in found.items():
            require(interpreter, backend, f"with --env {backend}=SPEC")
        return found

    def known(self, named: Mapping[str, str]) -> dict[str, Interpreter | None]:
        """Return the interpreter of every backend, None where it isn't made; make none."""
        here = self._here((), named)
        pythons = {
            backend: self._there(backend, named, here) or self.cache.find(self._own(backend))
            for backend in BACKENDS_OF["predict"]
        }
        found = probe({backend: python for backend, python in pythons.items() if python})
        return {backend: found.get(backend) for backend in BACKENDS_OF["predict"]}

    def own(self, backend: str) -> str:
        """Return the interpreter of a backend's own environment, which is made if need be.

        Raises:
            BackendError: it can't be made.
        """
        own = self._own(backend)
        return self._made(self._with_additions(own), self._asked(""), own)

    def place(self, text: str, backend: str) -> Place:
        """Return where the workers of a backend run in the environment that a text asks for.

        Raises:
            UsageError: the text is no spec, or names what isn't there.
            BackendError: the environment can't be made.
        """
        return self._place(parse_spec(text), text, backend)

    def _there(
        self, backend: str, named: Mapping[str, str], here: Interpreter | None
    ) -> str | None:
        """Return the interpreter that is named, or the one that runs the suite; None for neither.

        The first is made if need be.
        """
        if backend in named:
            text = named[backend]
            return this_python() if text == THIS else self.place(text, backend).python
        return here.python if here is not None and here.environment.holds(backend) else None

    def _place(self, spec: Spec, text: str, backend: str) -> Place:
        if isinstance(spec, InterpreterSpec):
            return Place(spec.python)
        own = self._own(backend)
        if isinstance(spec, FolderSpec):
            recipe = self._with_additions(own, (), [source_of(spec.folder)])
            return Place(self._made(recipe, self._asked(text), own))
        if isinstance(spec, RevisionSpec):
            return self._revision(spec, text, own)
        # Another framework is no pure Python package: there is nothing to make it on.
        is_other = names_any(spec.requirements, FRAMEWORKS[own.backend])
        recipe = self._with_additions(own, spec.requirements)
        return Place(self._made(recipe, self._asked(text), None if is_other else own))

    def _revision(self, spec: RevisionSpec, text: str, own: Recipe) -> Place:
        """Return the environment of a revision: the suite's own pins, or the project installed."""
        commit = commit_of(spec.repository, spec.revision)
        folder = self.cache.revision(commit, partial(unpack, spec.repository, commit))
        project = _project(folder)
        if project.get("name") == "keras-bench":
            recipe = self._with_additions(_pinned_recipe(folder, project, own, text))
            python = self._made(recipe, self._asked(text), None)
            return Place(python, folder / "models", holds="its pinned versions")
        checkout = Checkout(top_of(spec.repository), folder)
        if not project:
            return Place(self.own(own.backend), checkout=checkout)
        recipe = self._with_additions(own, (), [source_of(folder)])
        python = self._made(recipe, self._asked(text), own)
        return Place(python, checkout=checkout, holds="its package")

    def _own(self, backend: str) -> Recipe:
        return own_recipe(backend, suite_constraints(), self.python or running_python())

    def _with_additions(
        self, own: Recipe, requirements: Sequence[str] = (), sources: Sequence[Source] = ()
    ) -> Recipe:
        """Return a recipe with what is asked for it and with the additions."""
        added = [addition for addition in self.additions if isinstance(addition, str)]
        projects = [
            source_of(addition) for addition in self.additions if isinstance(addition, Path)
        ]
        wanted = tuple(dict.fromkeys((*requirements, *added)))
        return recipe_with(own, wanted, (*sources, *projects))

    def _asked(self, text: str) -> str:
        """Return what stands for an environment, as the user is told."""
        told = ", ".join(map(str, self.additions))
        return (text or OWN_VERSIONS) + (f" and {told}" if told else "")

    def _made(self, recipe: Recipe, asked: str, base: Recipe | None) -> str:
        """Return the interpreter of a recipe's environment, which is made where it isn't there.

        `base` is the recipe of the environment on which it may be made in seconds.
        """
        if python := self.cache.find(recipe):
            return python
        if not self.may_make:
            options = [f"--make {recipe.backend}"]
            if self.python is not None:
                options.append(f"--python {self.python.version}")
            options += [f"--with {shlex.quote(str(addition))}" for addition in self.additions]
            raise BackendError(
                f"{asked} on {recipe.backend}",
                "no environment of it is made",
                f"`keras-bench environments {' '.join(options)}` makes one of its own",
            )
        if base == recipe:
            base = None
        if base is not None and self.maker.stacks:
            self._made(base, OWN_VERSIONS, None)
        self.tell(self._announcement(recipe, asked))
        start = time.monotonic()
        with self.busy(f"installing {asked} for {recipe.backend}"):
            python = self.cache.make(recipe, asked, base, self.maker, self._wait)
        self.tell(f"made in {time.monotonic() - start:.0f} s")
        return python

    def _announcement(self, recipe: Recipe, asked: str) -> str:
        line = (
            f"making an environment for {recipe.backend} with {asked} and Python"
            f" {recipe.python_version}, of at most about {GIGABYTES[recipe.backend]:g} GB,"
            f" in {self.cache.folder} ..."
        )
        return f"{line} {WITH_CUDA}" if brings_cuda(recipe) else line

    def _wait(self) -> None:
        self.tell("waiting for another command that makes the same environment ...")

    def _here(self, asked: Sequence[str], named: Mapping[str, str]) -> Interpreter | None:
        """Return the interpreter that runs the suite, if it holds one backend alone.

        It is none where another Python is asked for.
        """
        here = probe({"": this_python()})[""]
        if self.python is not None and self.python.version != here.environment.python_version:
            return None
        if len(here.backends) <= 1:
            return here
        unnamed = [backend for backend in asked if backend not in named]
        if set(unnamed) & set(here.backends):
            first = next(backend for backend in unnamed if backend in here.backends)
            self.tell(
                f"{here.python} holds {', '.join(here.backends)}: several frameworks in one"
                f" process slow it down, so it isn't used; --env {first}=. uses it all the same"
            )
        return None


def environments_of(
    choice: EnvironmentChoice,
    tell: Callable[[str], None],
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext,
    required: Sequence[str | Path] = (),
) -> Environments:
    """Return what finds the environments of a command, as its options say.

    `required` is what its workloads ask for themselves.

    Raises:
        BackendError: the Python that is asked for isn't there.
    """
    cache = Cache(cache_folder(choice.cache))
    python = None if choice.python is None else find_python(choice.python)
    additions = tuple(dict.fromkeys((*choice.additions, *required)))
    return Environments(cache, chosen_maker(), tell, choice.may_make, busy, python, additions)


def _project(folder: Path) -> dict[str, object]:
    """Return the table [project] of a folder, empty where it is no Python project."""
    file = folder / "pyproject.toml"
    if file.is_file():
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("project")
        return found or {"name": folder.name}
    return {"name": folder.name} if (folder / "setup.py").is_file() else {}


def _pinned_recipe(folder: Path, project: dict[str, object], own: Recipe, text: str) -> Recipe:
    """Return the recipe by which a revision of the suite itself makes a backend's environment."""
    try:
        extras = project["optional-dependencies"]
        assert isinstance(extras, dict)
        requirements = tuple(extras[own.backend])
        lines = pinned((folder / "constraints.txt").read_text(encoding="utf-8"))
    except (OSError, KeyError) as error:
        raise UsageError(
            text, f"it is too old to say what {own.backend} needs ({error})", "name a later one"
        ) from None
    return replace(own, requirements=requirements, constraints=lines)
