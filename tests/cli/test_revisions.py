"""What a git revision brings to a side: its package, its workloads, or both."""

from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD
from repositories import git

PROJECT = '[project]\nname = "mine"\nversion = "1"\n'


def write_repository(folder: Path) -> None:
    """Make a repository with a workload in two commits; the second has another file, too."""
    (folder / "project").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for message, names in (("first", ["mine.py"]), ("second", ["mine.py", "later.py"])):
        for name in names:
            (folder / "project" / name).write_text(f"{SMALL_WORKLOAD}\n# {message}")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", f"--message={message}")


@pytest.fixture
def gate(run_cli, maker, tmp_path: Path, monkeypatch):
    """Gate two revisions of the repository; return the answer, and the files that were trained."""
    trained = tmp_path / "trained"
    maker.behaviour = (
        f"open({str(trained)!r}, 'a').write(request['workload']['module'] + '\\n'); sample(0.002)"
    )

    def run(*arguments: str):
        options = ("--backend=jax", "--no-parity", "--budget=1", *arguments)
        answer = run_cli("gate", *options)
        files = trained.read_text().split() if trained.exists() else []
        return answer, {Path(file) for file in files}

    return run


def sides(before: str, after: str, of: str = "") -> tuple[str, str]:
    return f"--baseline=git:{of}{before}", f"--candidate=git:{of}{after}"


@pytest.mark.parametrize("place", ["../other", "."])
def test_each_side_trains_the_file_as_it_was_wherever_one_stands(
    gate, command_folder: Path, own_cache: Path, place: str
):
    write_repository(command_folder / place)
    of = "" if place == "." else f"{place}@"
    answer, files = gate(f"{place}/project/mine.py", *sides("HEAD~1", "main", of))
    assert answer.returncode == 0, answer.stderr
    assert {file.read_text().split()[-1] for file in files} == {"first", "second"}
    assert all(file.is_relative_to(own_cache) for file in files)
    assert f"baseline on jax: of git:{of}HEAD~1, its workloads\n" in answer.stdout


def test_a_workload_from_elsewhere_is_the_same_on_both_sides(
    gate, command_folder: Path, own_cache: Path
):
    write_repository(command_folder)
    (command_folder / "pyproject.toml").write_text(PROJECT)
    git(command_folder, "add", ".")
    git(command_folder, "commit", "--quiet", "--message=third")
    answer, files = gate("dense_3_5_2", *sides("HEAD", "main"))
    assert answer.returncode == 0, answer.stderr
    assert "candidate on jax: of git:main, its package\n" in answer.stdout
    (file,) = files
    assert not file.is_relative_to(own_cache)


def test_a_revision_that_brings_nothing_is_a_wrong_call(gate, command_folder: Path):
    write_repository(command_folder)
    answer, files = gate("dense_3_5_2", *sides("HEAD~1", "main"))
    assert answer.returncode == 2
    assert "git:HEAD~1: is no Python project, and no workload lies in it" in answer.stderr
    assert files == set()


def test_a_file_that_was_not_there_yet_is_named(gate, command_folder: Path):
    write_repository(command_folder)
    answer, _ = gate("project/later.py", *sides("HEAD~1", "main"))
    assert answer.returncode == 3
    assert "later.py: isn't there at git:HEAD~1; name a revision that has it" in answer.stderr
