"""Which interpreter a backend gets: the one named, this one, one made before, or one made now."""

from dataclasses import replace
from pathlib import Path

import pytest
from fake_maker import FakeMaker
from repositories import git

from keras_bench.environments.cache import Cache
from keras_bench.environments.finding import Environments, environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.environments.pythons import Python
from keras_bench.errors import BackendError, UsageError
from keras_bench.records import Environment, EnvironmentChoice

KERAS = ("keras", "3.15.1")


@pytest.fixture
def maker() -> FakeMaker:
    return FakeMaker()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def finder(tmp_path: Path, maker: FakeMaker, said: list[str]) -> Environments:
    return Environments(Cache(tmp_path / "cache"), maker, said.append)


@pytest.fixture
def this_holds(monkeypatch, fake_python):
    """Let the interpreter that runs the suite hold these packages."""
    from keras_bench.environments import finding

    this, own_probe = fake_python(""), finding.probe

    def hold(*packages: str) -> str:
        held = Environment("3.11.0", (KERAS, *((package, "1") for package in packages)))
        monkeypatch.setattr(finding, "this_python", lambda: this)
        monkeypatch.setattr(
            finding,
            "probe",
            lambda pythons: {
                name: Interpreter(this, held) if python == this else own_probe({name: python})[name]
                for name, python in pythons.items()
            },
        )
        return this

    return hold


def made_for(maker: FakeMaker) -> list[str]:
    return [recipe.backend for recipe in maker.made]


def test_without_a_word_all_that_train_are_made_once(finder, maker, said):
    found = finder.interpreters((), {})
    assert list(found) == made_for(maker) == ["tensorflow", "jax", "torch"]
    assert sum("making an environment for" in line for line in said) == 3
    assert finder.interpreters((), {}) == found
    assert len(maker.made) == 3


def test_with_env_alone_only_those_are_taken(finder, maker, fake_python):
    python = fake_python("")
    assert {n: each.python for n, each in finder.interpreters((), {"jax": python}).items()} == {
        "jax": python
    }
    assert maker.made == []


def test_one_is_named_and_the_other_is_made(finder, maker, fake_python):
    python = fake_python("")
    found = finder.interpreters(("jax", "torch"), {"jax": python})
    assert found["jax"].python == python
    assert made_for(maker) == ["torch"]


def test_this_interpreter_is_taken_where_it_holds_one_backend_alone(finder, maker, this_holds):
    this = this_holds("jax")
    found = finder.interpreters(("jax", "torch"), {})
    assert found["jax"].python == this
    assert made_for(maker) == ["torch"]


def test_of_several_in_this_interpreter_none_is_taken_unless_asked_for(
    finder, maker, said, this_holds
):
    this = this_holds("jax", "torch")
    assert finder.interpreters(("jax",), {})["jax"].python != this
    assert any("--env jax=. uses it all the same" in line for line in said)
    assert finder.interpreters(("jax",), {"jax": "."})["jax"].python == this
    assert made_for(maker) == ["jax"]


def test_numpy_predicts_where_jax_is(finder, maker):
    found = finder.interpreters(("jax", "numpy"), {}, "predict")
    assert found["numpy"].python == found["jax"].python
    assert made_for(maker) == ["jax"]


def test_none_is_made_where_that_is_forbidden(tmp_path: Path, maker, said):
    finder = Environments(Cache(tmp_path / "cache"), maker, said.append, may_make=False)
    with pytest.raises(BackendError, match=r"no environment of it is made; .*--make jax"):
        finder.interpreters(("jax",), {})
    assert finder.known({}) == dict.fromkeys(("tensorflow", "jax", "torch", "numpy", "openvino"))
    assert maker.made == []


def test_another_python_makes_them_and_this_one_is_not_taken(finder, maker, said, this_holds):
    this_holds("jax")
    other = replace(finder, python=Python("/usr/bin/python3.13", "3.13.0"))
    other.interpreters(("jax",), {})
    other.place("keras==3.14.1", "torch")
    assert set(made_for(maker)) == {"jax", "torch"}
    assert {(recipe.python, recipe.python_version) for recipe in maker.made} == {
        ("/usr/bin/python3.13", "3.13.0")
    }
    assert "Python 3.13.0" in said[0]
    with pytest.raises(BackendError, match=r"--make jax --python 3\.13\.0`"):
        replace(other, cache=Cache(finder.cache.folder / "empty"), may_make=False).own("jax")


def test_a_python_that_is_not_there_is_told_before_anything_is_made(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackendError, match=r"^Python 3\.99: none .* is found"):
        environments_of(EnvironmentChoice(python="3.99"), print)


def test_this_interpreter_is_taken_where_it_is_of_the_version_asked_for(finder, maker, this_holds):
    this = this_holds("jax")
    same = replace(finder, python=Python("/usr/bin/python3.11", "3.11.0"))
    assert same.interpreters(("jax",), {})["jax"].python == this


def test_a_backend_that_cannot_train_is_refused_before_anything_is_made(finder, maker):
    with pytest.raises(UsageError, match="can't train on this backend"):
        finder.interpreters(("jax", "numpy"), {})
    assert maker.made == []


def test_another_keras_is_made_on_the_backends_own(finder, maker):
    finder.place("keras==3.14.1", "jax")
    own, other = maker.made
    assert "keras==3.14.1" in other.requirements
    assert {entry.base for entry in finder.cache.entries()} == {None, own.name}


def test_another_framework_is_made_by_itself(finder, maker):
    finder.place("jax==0.9", "jax")
    assert len(maker.made) == 1


def test_what_cannot_be_made_is_one_line_with_the_reason(finder):
    with pytest.raises(BackendError, match="no matching distribution") as caught:
        finder.place("impossible==1", "jax")
    assert "\n" not in str(caught.value)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits: without a project, and as one."""
    folder = tmp_path / "repository"
    (folder / "work").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "work" / "mine.py").write_text("# first")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "work" / "mine.py").write_text("# second")
    (folder / "pyproject.toml").write_text('[project]\nname = "mine"\nversion = "1"\n')
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    return folder


def test_a_revision_without_a_project_has_its_workloads(finder, maker, repository, monkeypatch):
    monkeypatch.chdir(repository / "work")
    place = finder.place("git:HEAD~1", "jax")
    assert (place.checkout.unpacked / "work" / "mine.py").read_text() == "# first"
    assert (place.checkout.top, place.holds) == (repository.resolve(), "")
    (own,) = maker.made
    assert own.sources == ()


def test_a_revision_that_is_a_project_is_installed(finder, maker, repository, monkeypatch):
    monkeypatch.chdir(repository)
    place = finder.place("git:main", "jax")
    assert (place.checkout.unpacked / "work" / "mine.py").read_text() == "# second"
    assert place.holds == "its package"
    assert maker.made[-1].sources[0].folder.is_relative_to(finder.cache.folder)
    # What is made once is found again, by its content.
    made = len(maker.made)
    assert finder.place("git:main", "jax") == place
    assert len(maker.made) == made


def test_a_revision_may_be_of_another_repository(finder, repository, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = finder.place("git:repository@main", "jax")
    assert (place.checkout.top, place.holds) == (repository.resolve(), "its package")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("git:nowhere", "has no such revision"), ("git:HEAD~99", "has no such revision")],
)
def test_a_revision_that_does_not_exist(finder, repository, monkeypatch, text: str, reason: str):
    monkeypatch.chdir(repository)
    with pytest.raises(UsageError, match=reason):
        finder.place(text, "jax")


def test_outside_of_a_repository(finder, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="is in no git repository"):
        finder.place("git:main", "jax")


def test_a_folder_is_installed_anew_once_it_changes(finder, maker, repository):
    finder.place(str(repository), "jax")
    made = len(maker.made)
    finder.place(str(repository), "jax")
    assert len(maker.made) == made
    (repository / "work" / "mine.py").write_text("# third")
    finder.place(str(repository), "jax")
    assert len(maker.made) == made + 1


@pytest.fixture
def adding(finder, tmp_path: Path) -> Environments:
    """A finder that adds a requirement and a project to all that it makes."""
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "pyproject.toml").touch()
    return replace(finder, additions=("pandas<3", tmp_path / "extra"))


def what_was_added(maker: FakeMaker) -> tuple[bool, list[str]]:
    recipe = maker.made[-1]
    return "pandas<3" in recipe.requirements, [source.folder.name for source in recipe.sources]


def test_additions_go_into_the_backends_own_and_are_made_on_it(adding, maker, said, tmp_path: Path):
    python = adding.interpreters(("jax",), {})["jax"].python
    own, _ = maker.made
    assert what_was_added(maker) == (True, ["extra"])
    assert {entry.base for entry in adding.cache.entries()} == {None, own.name}
    assert any(f"own versions and pandas<3, {tmp_path / 'extra'} " in line for line in said)
    assert adding.interpreters(("jax",), {})["jax"].python == python
    assert len(maker.made) == 2


def test_additions_go_into_all_that_is_asked_for(adding, maker, repository, monkeypatch):
    monkeypatch.chdir(repository)
    for text, sources in (
        ("keras==3.14.1", ["extra"]),
        ("jax==0.9", ["extra"]),
        (str(repository), ["repository", "extra"]),
        ("git:HEAD~1", ["extra"]),
    ):
        adding.place(text, "jax")
        assert what_was_added(maker) == (True, sources), text
    (repository / "work" / "mine.py").write_text("# other than in the folder")
    git(repository, "commit", "-qam", "third")
    adding.place("git:main", "jax")
    is_added, (_, extra) = what_was_added(maker)
    assert (is_added, extra) == (True, "extra")


def test_nothing_is_added_to_an_interpreter_that_is_named(adding, maker, fake_python):
    python = fake_python("")
    assert adding.interpreters((), {"jax": python})["jax"].python == python
    assert adding.place(python, "jax").python == python
    assert maker.made == []


@pytest.mark.parametrize(
    ("addition", "is_taken"),
    [("pytest", True), ("pytest>=7", True), ("pytest<7", False), ("of-no-such-kind", False)],
)
def test_this_interpreter_is_taken_where_it_holds_the_additions(
    finder, maker, this_holds, addition: str, is_taken: bool
):
    this = this_holds("jax")
    found = replace(finder, additions=(addition,)).interpreters(("jax",), {})
    assert (found["jax"].python == this) == is_taken


def test_where_none_may_be_made_the_command_that_does_names_the_additions(adding):
    with pytest.raises(BackendError, match=r"environments --make jax --with 'pandas<3' --with /"):
        replace(adding, may_make=False).interpreters(("jax",), {})
