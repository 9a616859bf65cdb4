"""What goes into an environment, and the name by which one with the same content is found again."""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import keras_bench
from keras_bench.environments.pythons import Python
from keras_bench.records import DISTRIBUTIONS

#: The distributions that bring a backend; one that is asked for takes the place of the others.
FRAMEWORKS = {
    "tensorflow": DISTRIBUTIONS["tensorflow"],
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
    "numpy": ("jax", "jaxlib"),
    "openvino": ("openvino",),
}

#: The distributions that bring Keras.
KERAS = DISTRIBUTIONS["keras"]

#: Those that need keras-nightly, beside which Keras would be overwritten.
NEED_NIGHTLY_KERAS = ("tf-nightly", "tf-nightly-cpu")

#: The backend whose environment holds all that another one needs.
SAME_ENVIRONMENT = {"numpy": "jax"}


@dataclass(frozen=True)
class Source:
    """A Python project in a folder, with a digest of its files."""

    folder: Path
    digest: str


@dataclass(frozen=True)
class Recipe:
    """An environment to be made: a backend's, with requirements, projects and pinned versions.

    `python_version` is that of the interpreter which makes it, "3.11.7", and `python` the path of
    that, which is of no matter for what is made.
    """

    backend: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    python_version: str
    sources: tuple[Source, ...] = ()
    python: str = sys.executable

    @property
    def name(self) -> str:
        """The name of its folder: equal for equal content, such as "jax-0123456789ab"."""
        parts = (
            self.backend,
            self.python_version,
            *sorted(self.requirements),
            *sorted(self.constraints),
            *sorted(source.digest for source in self.sources),
        )
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return f"{self.backend}-{digest[:12]}"


def suite_constraints() -> tuple[str, ...]:
    """Return the versions that the suite pins.

    A wheel carries them inside the package; a checkout has them at its top.
    """
    package = Path(keras_bench.__file__).parent
    carried = package / "constraints.txt"
    file = carried if carried.is_file() else package.parents[1] / "constraints.txt"
    return pinned(file.read_text(encoding="utf-8"))


def pinned(text: str) -> tuple[str, ...]:
    """Return the lines of a constraints file that pin a version."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def backend_requirements(backend: str, python_version: str) -> tuple[str, ...]:
    """Return what the suite's extra of a backend asks for on this machine with this Python."""
    minor = ".".join(python_version.split(".")[:2])
    python = {"python_version": minor, "python_full_version": python_version}
    extra = SAME_ENVIRONMENT.get(backend, backend)
    wanted = map(Requirement, requires("keras-bench") or ())
    return tuple(
        sorted(
            f"{requirement.name}{requirement.specifier}"
            for requirement in wanted
            if requirement.marker is not None
            and requirement.marker.evaluate({**python, "extra": extra})
            and not requirement.marker.evaluate({**python, "extra": ""})
        )
    )


def own_recipe(backend: str, constraints: Sequence[str], python: Python) -> Recipe:
    """Return the recipe of a backend's own environment, the one for which nothing is asked."""
    backend = SAME_ENVIRONMENT.get(backend, backend)
    requirements = backend_requirements(backend, python.version)
    return Recipe(backend, requirements, tuple(constraints), python.version, python=python.path)


def recipe_with(
    own: Recipe, requirements: Iterable[str] = (), sources: Iterable[Source] = ()
) -> Recipe:
    """Return the recipe of a backend's own environment with these requirements and projects.

    The rest is pinned as in the backend's own. With another version of a framework, or with a
    project, only Keras and the framework are, for everything else is what those need.
    """
    requirements, sources = tuple(requirements), tuple(sources)
    named = {_name(requirement) for requirement in requirements}
    frameworks = set(FRAMEWORKS[own.backend])
    wanted, lines = own.requirements, own.constraints
    if named & frameworks:
        wanted = tuple(
            requirement for requirement in wanted if _name(requirement) not in frameworks
        )
        lines = tuple(line for line in lines if _name(line) in KERAS)
    elif sources:
        lines = tuple(line for line in lines if _name(line) in {*KERAS, *frameworks})
    if named & {*KERAS, *NEED_NIGHTLY_KERAS}:
        wanted = tuple(requirement for requirement in wanted if _name(requirement) not in KERAS)
    lines = tuple(line for line in lines if _name(line) not in named)
    return replace(own, requirements=(*wanted, *requirements), constraints=lines, sources=sources)


def names_any(requirements: Iterable[str], distributions: Iterable[str]) -> bool:
    """Tell whether requirements ask for one of these distributions."""
    return not {_name(requirement) for requirement in requirements}.isdisjoint(distributions)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
