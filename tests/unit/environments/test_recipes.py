"""What goes into an environment, and by which name it is found again."""

from dataclasses import replace
from pathlib import Path

import pytest

from keras_bench.environments.pythons import Python
from keras_bench.environments.recipes import (
    Recipe,
    Source,
    backend_requirements,
    own_recipe,
    pinned,
    recipe_with,
    suite_constraints,
)

PINS = ("jax==0.10.2", "jaxlib==0.10.2", "keras==3.15.1", "numpy==2.4.6")
OWN = Recipe("jax", ("jax>=0.5", "keras>=3.10"), PINS, "3.11.7")


def test_the_suites_own_environment_holds_keras_and_a_framework_pinned():
    assert set(backend_requirements("jax", "3.11.7")) == {"jax>=0.5", "keras>=3.10"}
    assert {line.partition("==")[0] for line in suite_constraints()} >= {"jax", "keras", "torch"}
    # NumPy's backend needs what JAX's does.
    python = Python("/usr/bin/python3.13", "3.13.0")
    own = own_recipe("numpy", PINS, python)
    assert own == own_recipe("jax", PINS, python)
    assert (own.python, own.python_version) == ("/usr/bin/python3.13", "3.13.0")


def test_comments_pin_nothing():
    assert pinned("# Why\nkeras==3.15.1\n\njax==0.10.2  # as tested\n") == (
        "keras==3.15.1", "jax==0.10.2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("requirements", "wanted", "constrained"),
    [
        # Another Keras leaves all else as it was.
        (("keras==3.14.1",), {"jax>=0.5", "keras==3.14.1"}, {"jax", "jaxlib", "numpy"}),
        (
            ("keras-nightly==3.16.0.dev1",),
            {"jax>=0.5", "keras-nightly==3.16.0.dev1"},
            {"jax", "jaxlib", "keras", "numpy"},
        ),
        # Another framework brings what it needs.
        (("jax==0.9",), {"keras>=3.10", "jax==0.9"}, {"keras"}),
        (("keras==3.14", "jax<0.10"), {"keras==3.14", "jax<0.10"}, set()),
        (("NumPy<2.4",), {"jax>=0.5", "keras>=3.10", "NumPy<2.4"}, {"jax", "jaxlib", "keras"}),
    ],
)
def test_what_is_asked_for_takes_the_place_of_what_is_pinned(requirements, wanted, constrained):
    found = recipe_with(OWN, requirements)
    assert set(found.requirements) == wanted
    assert {line.partition("==")[0] for line in found.constraints} == constrained


def test_nightly_builds_of_tensorflow_bring_the_nightly_keras():
    own = replace(OWN, backend="tensorflow", requirements=("keras>=3.10", "tensorflow-cpu>=2.18"))
    assert recipe_with(own, ("tf-nightly-cpu",)).requirements == ("tf-nightly-cpu",)
    # A Keras that is asked for is asked for.
    both = ("tf-nightly", "keras==3.15.1")
    assert recipe_with(own, both).requirements == both


def test_beside_a_project_keras_and_the_framework_alone_are_pinned():
    found = recipe_with(OWN, (), [Source(Path("mine"), "ab")])
    assert {line.partition("==")[0] for line in found.constraints} == {"jax", "jaxlib", "keras"}


def test_equal_content_has_one_name_and_other_content_another():
    assert OWN.name == replace(OWN, requirements=OWN.requirements[::-1]).name
    others = {
        replace(OWN, requirements=("jax>=0.6", "keras>=3.10")).name,
        replace(OWN, constraints=PINS[1:]).name,
        replace(OWN, python_version="3.12.1").name,
        replace(OWN, sources=(Source(Path("mine"), "ab"),)).name,
        replace(OWN, sources=(Source(Path("mine"), "cd"),)).name,
        OWN.name,
    }
    assert len(others) == 6
    # Where a project lies is of no matter, nor where Python does.
    assert replace(OWN, python="/elsewhere/python3.11").name == OWN.name
    assert replace(OWN, sources=(Source(Path("elsewhere"), "ab"),)).name in others
