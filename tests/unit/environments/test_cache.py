"""Environments are made once, whole or not at all, and removed when nobody uses them."""

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keras_bench.environments.cache import CAP_BYTES, Cache, Made, cache_folder, to_prune
from keras_bench.environments.makers import CannotMake
from keras_bench.environments.recipes import Recipe
from keras_bench.errors import BackendError

RECIPE = Recipe("jax", ("jax",), (), "3.11.7")
OTHER = replace(RECIPE, requirements=("jax", "keras==3.14.1"))


class FakeMaker:
    """Makes an environment of one file; `before` is called first."""

    stacks = True

    def __init__(self, before=lambda: None, pure: bool = True) -> None:
        self.before, self.pure, self.made = before, pure, []

    def make(self, recipe: Recipe, folder: Path, log: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "half").write_text("x" * 10_000)
        self.before()
        (folder / "bin" / "python").touch()
        self.made.append(recipe.name)

    def make_on(self, base: Path, recipe: Recipe, folder: Path, log: Path) -> bool:
        if self.pure:
            self.make(recipe, folder, log)
        return self.pure


def raising(error: BaseException):
    def fail() -> None:
        raise error

    return fail


def no_waiting() -> None:
    raise AssertionError("nobody else makes it")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def make(cache: Cache, maker, recipe=RECIPE, base=None) -> str:
    return cache.make(recipe, "jax", base, maker, no_waiting)


def test_an_environment_is_made_once_and_found_again(cache: Cache):
    maker = FakeMaker()
    assert cache.find(RECIPE) is None
    python = make(cache, maker)
    assert make(cache, maker) == cache.find(RECIPE) == python
    assert maker.made == [RECIPE.name]
    (entry,) = cache.entries()
    assert (entry.backend, entry.asked, entry.base) == ("jax", "jax", None)
    assert entry.size_bytes >= 10_000


@pytest.mark.parametrize("error", [CannotMake("no network"), KeyboardInterrupt(), OSError(28, "")])
def test_a_half_made_one_is_never_used(cache: Cache, error: BaseException):
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else BackendError
    with pytest.raises(expected):
        make(cache, FakeMaker(raising(error)))
    assert cache.find(RECIPE) is None
    assert cache.entries() == []
    assert not list(cache.folder.glob("environments/*/*"))


def test_one_that_a_killed_command_left_is_made_anew(cache: Cache):
    left = cache.folder / "environments" / RECIPE.name / "bin"
    left.mkdir(parents=True)
    (left / "python").touch()
    assert cache.find(RECIPE) is None
    make(cache, FakeMaker())
    assert cache.find(RECIPE) == str(left / "python")


def test_one_whose_interpreter_has_gone_is_made_anew(cache: Cache):
    python = Path(make(cache, FakeMaker()))
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    assert cache.find(RECIPE) is None
    assert make(cache, FakeMaker()) == str(python)
    assert not python.is_symlink()


def test_a_second_command_waits_for_the_first_and_takes_its_environment(cache: Cache):
    begun, waiting, waited = threading.Event(), threading.Event(), []

    def until_another_waits() -> None:
        begun.set()
        assert waiting.wait(60)

    def wait() -> None:
        waited.append(True)
        waiting.set()

    first = threading.Thread(target=make, args=(cache, FakeMaker(until_another_waits)))
    first.start()
    assert begun.wait(60)
    second = FakeMaker()
    python = cache.make(RECIPE, "jax", None, second, wait)
    first.join()
    assert (waited, second.made, python) == ([True], [], cache.find(RECIPE))


def test_one_that_differs_in_pure_packages_is_made_on_the_other(cache: Cache):
    make(cache, FakeMaker())
    make(cache, FakeMaker(pure=True), OTHER, RECIPE)
    bases = {entry.name: entry.base for entry in cache.entries()}
    assert bases == {RECIPE.name: None, OTHER.name: RECIPE.name}


def test_one_that_differs_in_more_stands_alone(cache: Cache):
    make(cache, FakeMaker())
    make(cache, FakeMaker(pure=False), OTHER, RECIPE)
    assert {entry.base for entry in cache.entries()} == {None}


def test_one_whose_base_has_gone_is_made_anew(cache: Cache):
    base = Path(make(cache, FakeMaker()))
    make(cache, FakeMaker(), OTHER, RECIPE)
    base.unlink()
    assert cache.find(OTHER) is None


def test_why_it_cannot_be_made_is_told_with_its_log(cache: Cache):
    with pytest.raises(BackendError, match=r"^jax on jax: can't be installed: no network; see .*t"):
        make(cache, FakeMaker(raising(CannotMake("no network"))))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match=r"can't be written \(.*--cache DIR"):
        make(Cache(tmp_path / "file"), FakeMaker())


def test_a_broken_stamp_is_no_environment(cache: Cache):
    make(cache, FakeMaker())
    (stamp,) = cache.folder.glob("environments/*/made.json")
    for text in ("", "[]", '{"name": 3}', "null"):
        stamp.write_text(text)
        assert cache.find(RECIPE) is None
        assert cache.entries() == []


def test_where_environments_are_kept(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("KERAS_BENCH_CACHE", str(tmp_path / "named"))
    assert cache_folder() == tmp_path / "named"
    assert cache_folder(tmp_path / "asked") == tmp_path / "asked"
    monkeypatch.delenv("KERAS_BENCH_CACHE")
    assert cache_folder().name == "keras-bench"


NOW = datetime(2026, 11, 27, tzinfo=UTC)


def entry(name: str, days_unused: int, share_of_cap: float = 0.1, base: str | None = None) -> Made:
    used = (NOW - timedelta(days=days_unused)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Made(name, "jax", name, (), "3.11.7", round(share_of_cap * CAP_BYTES), base, used)


def pruned(*entries: Made) -> set[str]:
    return {each.name for each in to_prune(entries, NOW)}


def test_what_was_not_used_for_a_month_is_pruned():
    assert pruned(entry("old", 30), entry("new", 29)) == {"old"}


def test_beyond_the_cap_the_longest_unused_are_pruned():
    entries = [entry("a", 1, 0.5), entry("b", 2, 0.4), entry("c", 3, 0.2)]
    assert pruned(*entries) == {"c"}
    assert pruned(entry("larger than all", 1, 1.1)) == {"larger than all"}
    # A command may still run in it.
    assert pruned(entry("used today", 0, 1.1)) == set()


def test_an_environment_goes_with_the_one_it_is_made_on():
    assert pruned(entry("base", 40), entry("on it", 1, base="base")) == {"base", "on it"}


def test_pruning_removes_the_files_and_what_is_half_made(cache: Cache):
    python = Path(make(cache, FakeMaker()))
    half = cache.folder / "environments" / "jax-half"
    half.mkdir()
    stamp = python.parents[1] / "made.json"
    old = (datetime.now(UTC) - timedelta(days=31)).timestamp()
    os.utime(stamp, (old, old))
    revision = cache.revision("abc", Path.mkdir)
    assert cache.revision("abc", Path.mkdir) == revision
    os.utime(revision, (old, old))
    assert [each.name for each in cache.prune(datetime.now(UTC))] == [RECIPE.name]
    assert not python.exists()
    assert not half.exists()
    assert not revision.exists()
    assert cache.prune(datetime.now(UTC)) == []
