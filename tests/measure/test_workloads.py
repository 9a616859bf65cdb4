from pathlib import Path

import pytest

from bench.errors import UsageError, WorkloadError
from bench.measure.workloads import find, shipped

SHIPPED = ["dense_1_16_32_2", "dense_1_16_32_2_sgd", "dense_3_5_2", "dense_3_5_2_adam"]


def test_without_a_name_it_finds_both_networks_of_the_notes():
    assert [workload.name for workload in find(())] == ["dense_3_5_2", "dense_1_16_32_2"]


def test_every_shipped_workload_says_what_it_trains():
    summaries = {name: workload.summary() for name, workload in shipped().items()}
    assert list(summaries) == SHIPPED
    assert len(set(summaries.values()) - {""}) == len(SHIPPED)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"^dense_352: .*did you mean dense_3_5_2") as caught:
        find(("dense_352",))
    assert caught.value.exit_code == 2


def test_a_name_far_from_all_is_answered_with_all():
    with pytest.raises(UsageError, match=f"there are {', '.join(SHIPPED)}$"):
        find(("zzz",))


def test_a_file_goes_by_its_own_name(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit('imported by the coordinator')")
    (workload,) = find((str(file),))
    assert (workload.name, workload.file) == ("mine", file)


@pytest.mark.parametrize("name", ["missing.py", "folder/", "./missing"])
def test_a_file_that_does_not_exist_is_named(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkloadError, match=f"^{name}: doesn't exist"):
        find((name,))


def test_two_files_of_one_name_are_refused(tmp_path: Path):
    file = tmp_path / "dense_3_5_2.py"
    file.touch()
    with pytest.raises(UsageError, match="rename one"):
        find(("dense_3_5_2", str(file)))


def test_with_a_folder_names_are_those_of_its_files(tmp_path: Path):
    (tmp_path / "mine.py").touch()
    (tmp_path / "dense_3_5_2.py").touch()
    found = find(("mine", "dense_3_5_2"), tmp_path)
    assert [each.file for each in found] == [tmp_path / "mine.py", tmp_path / "dense_3_5_2.py"]


def test_with_a_folder_the_workloads_of_the_suite_are_unknown(tmp_path: Path):
    (tmp_path / "mine.py").touch()
    with pytest.raises(UsageError, match=r"no workload has this name; there are mine$"):
        find(("dense_3_5_2",), tmp_path)
    with pytest.raises(UsageError, match="no workload has this name"):
        find((), tmp_path)
    with pytest.raises(UsageError, match=r"there are none$"):
        find(("mine",), tmp_path / "empty")


def test_with_a_folder_files_are_below_it(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "mine.py").touch()
    (workload,) = find(("inner/mine.py",), tmp_path)
    assert (workload.name, workload.file) == ("mine", inner / "mine.py")
    with pytest.raises(WorkloadError, match=f"^{tmp_path / 'mine.py'}: doesn't exist"):
        find(("mine.py",), tmp_path)


def test_a_folder_may_be_named_relative_to_where_one_is(tmp_path: Path, monkeypatch):
    (tmp_path / "mine.py").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine.py"):
        (workload,) = find((name,), Path())
        assert workload.file == tmp_path / "mine.py"


def test_the_same_workload_twice_counts_once():
    assert len(find(("dense_3_5_2", "dense_3_5_2"))) == 1
