from pathlib import Path

import pytest

from keras_bench.errors import UsageError, WorkloadError
from keras_bench.measure.workloads import (
    DEFAULT_WORKLOADS,
    find,
    requirements,
    shipped,
    summary,
    tags,
)
from keras_bench.records import Selection

WORKLOAD = "def build(): ..."


def test_without_a_name_it_finds_both_networks_of_the_notes():
    assert [workload.name for workload in find(Selection())] == ["dense_3_5_2", "dense_1_16_32_2"]


def test_every_shipped_workload_says_what_it_trains():
    summaries = {name: summary(workload) for name, workload in shipped().items()}
    assert set(summaries) > set(DEFAULT_WORKLOADS)
    assert len(set(summaries.values()) - {""}) == len(summaries)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"^dense_352: .*did you mean dense_3_5_2") as caught:
        find(Selection(("dense_352",)))
    assert caught.value.exit_code == 2


def test_a_name_far_from_all_is_answered_with_all():
    with pytest.raises(UsageError, match=f"there are {', '.join(shipped())}$"):
        find(Selection(("zzz",)))


def test_a_file_goes_by_its_own_name(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(f"{WORKLOAD}\nraise SystemExit('imported by the coordinator')")
    (workload,) = find(Selection((str(file),)))
    assert (workload.name, workload.module) == ("mine", str(file))


@pytest.mark.parametrize("name", ["missing.py", "folder/", "./missing"])
def test_a_file_that_does_not_exist_is_named(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkloadError, match=f"^{name}: doesn't exist"):
        find(Selection((name,)))


def test_two_files_of_one_name_are_refused(tmp_path: Path):
    file = tmp_path / "dense_3_5_2.py"
    file.write_text(WORKLOAD)
    with pytest.raises(UsageError, match="rename one"):
        find(Selection(("dense_3_5_2", str(file))))


def test_with_a_folder_names_are_those_of_its_files(tmp_path: Path):
    (tmp_path / "mine.py").write_text(WORKLOAD)
    (tmp_path / "dense_3_5_2.py").write_text(WORKLOAD)
    found = find(Selection(("mine", "dense_3_5_2")), tmp_path)
    assert [Path(each.module) for each in found] == [
        tmp_path / "mine.py",
        tmp_path / "dense_3_5_2.py",
    ]


def test_with_a_folder_the_workloads_of_the_suite_are_unknown(tmp_path: Path):
    (tmp_path / "mine.py").write_text(WORKLOAD)
    with pytest.raises(UsageError, match=r"no workload has this name; there are mine$"):
        find(Selection(("dense_3_5_2",)), tmp_path)
    with pytest.raises(UsageError, match="no workload has this name"):
        find(Selection(), tmp_path)
    with pytest.raises(UsageError, match=r"there are none$"):
        find(Selection(("mine",)), tmp_path / "empty")


def test_with_a_folder_files_are_below_it(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "mine.py").write_text(WORKLOAD)
    (workload,) = find(Selection(("inner/mine.py",)), tmp_path)
    assert (workload.name, workload.module) == ("mine", str(inner / "mine.py"))
    with pytest.raises(WorkloadError, match=f"^{tmp_path / 'mine.py'}: doesn't exist"):
        find(Selection(("mine.py",)), tmp_path)


def test_a_folder_may_be_named_relative_to_where_one_is(tmp_path: Path, monkeypatch):
    (tmp_path / "mine.py").write_text(WORKLOAD)
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine.py"):
        (workload,) = find(Selection((name,)), Path())
        assert workload.module == str(tmp_path / "mine.py")


def test_the_same_workload_twice_counts_once():
    assert len(find(Selection(("dense_3_5_2", "dense_3_5_2")))) == 1


def test_a_program_without_a_build_is_no_workload(tmp_path: Path):
    (tmp_path / "mine.py").write_text("from other import build")
    (tmp_path / "program.py").write_text("print('no build here')")
    with pytest.raises(UsageError, match=r"there are mine$"):
        find(Selection(("program",)), tmp_path)


def test_a_build_that_is_imported_or_assigned_is_the_workload(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text("from package import make as build\ndef build_small(): ...")
    assert [each.name for each in find(Selection((str(file),)))] == ["mine"]
    assert [each.name for each in find(Selection(("mine",)), tmp_path)] == ["mine"]


@pytest.mark.parametrize(
    ("text", "builder", "message"),
    [
        ("def build(:", "", "line 1 has a syntax error .*; fix mine.py$"),
        ("def make(): ...", "", r"has no function build\(\); define build\(\)$"),
        ("def build_small(): ...", ":build_smal", ".*; name one that it has, mine.py:build_small$"),
    ],
)
def test_the_fault_of_a_file_is_told_at_once(
    tmp_path: Path, monkeypatch, text: str, builder: str, message: str
):
    (tmp_path / "mine.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkloadError, match=f"^mine.py: {message}"):
        find(Selection((f"mine.py{builder}",)))


def test_what_a_file_does_not_show_is_for_its_worker_to_find_out(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text("from package import *")
    assert [each.name for each in find(Selection((str(file),)))] == ["mine"]


@pytest.mark.parametrize("name", ["build as make", "build_layers", "build as build_with_adam"])
def test_an_imported_helper_is_no_workload(tmp_path: Path, name: str):
    file = tmp_path / "mine.py"
    file.write_text(f"from package import {name}\ndef build_small(): ...")
    assert [each.name for each in find(Selection((str(file),)))] == ["mine:build_small"]


def test_a_file_without_build_stands_for_every_one_that_it_defines(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from other import build as build_other\n"
        "def build_small(): ...\ndef build_large(): ...\ndef helper(): ..."
    )
    found = find(Selection((str(file),)))
    assert [each.name for each in found] == ["mine:build_small", "mine:build_large"]
    assert [each.builder for each in found] == ["build_small", "build_large"]


def test_one_of_several_is_named_after_a_colon(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(f"{WORKLOAD}\ndef build_small(): ...")
    assert [each.name for each in find(Selection((str(file),)))] == ["mine"]
    (small,) = find(Selection((f"{file}:build_small",)))
    assert (small.name, small.module, small.builder) == (
        "mine:build_small", str(file), "build_small",
    )  # fmt: skip


def test_a_function_of_a_module_is_looked_for_where_one_is(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (workload,) = find(Selection(("package.module:build_small",)))
    assert (workload.name, workload.module) == ("package.module:build_small", "package.module")
    assert (workload.folder, workload.is_file) == (str(tmp_path), False)


def test_a_module_without_a_function_is_answered_with_how_to_name_one():
    with pytest.raises(UsageError, match=r"name a function of it, package.module:build$"):
        find(Selection(("package.module",)))


def test_a_file_that_is_no_python_is_refused(tmp_path: Path):
    file = tmp_path / "mine.txt"
    file.touch()
    with pytest.raises(WorkloadError, match="isn't a Python file"):
        find(Selection((str(file),)))


def test_every_combination_of_parameters_is_a_workload_of_its_own():
    parameters = (("batch_size", (32, 64)), ("optimizer", ("adam", None)))
    found = find(Selection(("dense_3_5_2",), (), parameters))
    assert [each.name for each in found] == [
        "dense_3_5_2(batch_size=32, optimizer=adam)",
        "dense_3_5_2(batch_size=32, optimizer=None)",
        "dense_3_5_2(batch_size=64, optimizer=adam)",
        "dense_3_5_2(batch_size=64, optimizer=None)",
    ]
    assert found[1].parameters == (("batch_size", 32), ("optimizer", None))


def test_a_tag_stands_for_the_workloads_that_bear_it(tmp_path: Path):
    (tmp_path / "first.py").write_text(f"{WORKLOAD}\nTAGS = ('notes', 'layers')")
    (tmp_path / "second.py").write_text(f"{WORKLOAD}\nTAGS = ('layers',)")
    (tmp_path / "third.py").write_text(WORKLOAD)

    def names(*tags: str, names: tuple[str, ...] = ()) -> list[str]:
        return [each.name for each in find(Selection(names, tags), tmp_path)]

    assert names("notes") == ["first"]
    assert names("layers") == ["first", "second"]
    assert names("all") == ["first", "second", "third"]
    assert names("notes", "layers", names=("third",)) == ["first", "second", "third"]
    with pytest.raises(UsageError, match="layer: no workload has this tag; did you mean layers"):
        names("layer")


def test_every_shipped_workload_has_the_tag_of_all():
    assert all("all" in tags(workload) for workload in shipped().values())


def test_workloads_ask_for_what_their_files_require_each_once(tmp_path: Path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "setup.py").touch()
    for name, required in (("one", ["pandas<3", "./project"]), ("two", ["pandas<3", "h5py"])):
        (tmp_path / f"{name}.py").write_text(f"{WORKLOAD}\nREQUIREMENTS = {required}")
    found = find(Selection(("one", "two"), (), (("units", (1, 2)),)), tmp_path)
    assert requirements(found) == ("pandas<3", (tmp_path / "project").resolve(), "h5py")
    assert requirements(find(Selection(("package.module:build",)))) == ()


def test_a_requirement_that_is_none_names_the_file(tmp_path: Path):
    (tmp_path / "mine.py").write_text(f"{WORKLOAD}\nREQUIREMENTS = ['./nowhere']")
    with pytest.raises(
        WorkloadError, match=r"^mine.py: of REQUIREMENTS, './nowhere' is no folder; fix mine.py$"
    ):
        requirements(find(Selection(("mine",)), tmp_path))
