"""What the text of a workload's file says, without running it."""

import re

import pytest

from keras_bench.measure.workload_file import read_workload_file


def test_a_file_says_what_it_is_about():
    text = b"'My net.'\nTAGS = ('notes',)\nREQUIREMENTS: list[str] = ['pandas<3', './mine']"
    found = read_workload_file(text)
    assert (found.summary, found.tags, found.fault) == ("My net.", ("notes",), "")
    assert found.requirements == ("pandas<3", "./mine")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (b"import keras\ndef build(:", "line 2 has a syntax error in Python 3."),
        # What compiling finds, and parsing doesn't.
        (b"def build(a, a): ...", "line 1 has a syntax error .*duplicate argument"),
        (b"# coding: of-no-kind\n", "it has a syntax error .*unknown encoding"),
        (b"x = 1\0", "null bytes"),
        (b"(" * 5000 + b")" * 5000, "can't be parsed|syntax error"),
        (b"REQUIREMENTS = 'pandas'", "REQUIREMENTS is no list of texts"),
        (b"REQUIREMENTS = ['pandas', 3]", "REQUIREMENTS is no list of texts"),
        (b"REQUIREMENTS = open('requirements.txt').read()", "REQUIREMENTS is no list of texts"),
    ],
)
def test_a_fault_is_told_with_its_line(source: bytes, fault: str):
    assert re.search(fault, read_workload_file(source).fault)


@pytest.mark.parametrize(
    "source",
    [
        "def build(): ...",
        "async def build(): ...",
        "class build: ...",
        "import package as build",
        "import build.models",
        "from package import build",
        "from package import make as build",
        "build = partial(make, 3)",
        "build: object = make",
        "build = other = make",
        "build, data = make()",
        "(build := make)",
        "if torch:\n  pass\nelse:\n  def build(): ...",
        "try:\n  pass\nexcept ImportError:\n  from package import build",
        "try:\n  pass\nfinally:\n  build = make",
        "with make() as build: ...",
        "for build in make(): ...",
        "match make:\n  case 1:\n    build = make",
        # These may make it.
        "from package import *",
        "if torch:\n  from package import *",
        "exec(text)",
        "globals()['build'] = make",
        "def __getattr__(name): ...",
    ],
)
def test_a_file_has_what_it_defines_imports_or_assigns(source: str):
    assert read_workload_file(source.encode()).may_have("build")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def make():\n  def build(): ...",
        "def make():\n  build = 3",
        "class Mine:\n  def build(self): ...",
        "from build import make",
        "build.attribute = 3",
        "builds = build_small = 3",
    ],
)
def test_what_is_within_a_function_or_a_class_is_not_the_files(source: str):
    assert not read_workload_file(source.encode()).may_have("build")


def test_functions_are_those_that_it_defines_in_their_order():
    text = (
        b"def b(): ...\nif x:\n  def a(): ...\nelse:\n  def a(): ...\nfrom package import c\nd = 3"
    )
    assert read_workload_file(text).functions == ("b", "a")
