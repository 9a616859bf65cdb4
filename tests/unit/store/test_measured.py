import json
import math
import subprocess
from pathlib import Path

import pytest
from builders import AGREES, DIFFERS, EXPLAINED, UNABLE, failure, result, run, sample

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.measured import measured_run
from keras_bench.errors import NothingMeasured, ResultsBroken
from keras_bench.records import UNCHECKED
from keras_bench.store import latest, runs
from keras_bench.store.measured import find, read

RUN = run(
    result("jax", 0.1, 0.11, 0.12, parity=AGREES),
    result("torch", 0.4, 0.41, 0.42, parity=DIFFERS),
    result("tensorflow", failure=failure(), parity=EXPLAINED),
    result("jax", sample(0.2), failure=failure(), workload="other"),
    result("torch", workload="other"),
)


def stored(folder, known=RUN):
    """Store a run as the command does, and return its file."""
    latest.save(known, tables(known), folder)
    return runs.save(known, folder)


def test_a_run_and_its_latest_json_give_the_same(tmp_path):
    file = stored(tmp_path)
    one, other = find(str(file), tmp_path), find("latest", tmp_path)
    assert one == measured_run(RUN, str(file))
    assert (one.started_utc, one.machine, one.threads) == (
        other.started_utc, other.machine, other.threads,
    )  # fmt: skip

    def by_arm(known):
        return {
            (arm.workload, arm.backend): (
                arm.environment, arm.examples, arm.parity, arm.failure and arm.failure.message,
                arm.failure and arm.failure.exit_code, arm.process_epoch_seconds,
            )
            for arm in known.arms
        }  # fmt: skip

    assert by_arm(one) == by_arm(other)
    assert len(by_arm(one)) == 5


def test_a_workload_that_is_not_for_a_backend_has_not_failed_there_in_either_form(tmp_path):
    known = run(result("jax", 0.1), result("torch", failure=UNABLE))
    for name in (str(stored(tmp_path, known)), "latest"):
        measured = find(name, tmp_path)
        assert [(arm.backend, arm.failure) for arm in measured.arms] == [
            ("jax", None), ("torch", None),
        ]  # fmt: skip


def test_an_incomplete_run_is_so_in_both(tmp_path):
    known = run(result("jax", 0.1), complete=False, stopped="interrupted")
    file = stored(tmp_path, known)
    assert not find(str(file), tmp_path).complete
    assert not find("latest", tmp_path).complete


def test_a_latest_json_from_before_parity_and_exit_codes_were_written(tmp_path):
    stored(tmp_path)
    file = tmp_path / "latest.json"
    document = json.loads(file.read_text())
    del document["schema_version"]
    for table in document["tables"]:
        for row in table["rows"]:
            del row["parity"], row["parity_summary"], row["failure_exit_code"]
    old = read(json.dumps(document).encode(), "old")
    assert {arm.parity for arm in old.arms} == {UNCHECKED}
    codes = {arm.failure.exit_code for arm in old.arms if arm.failure is not None}
    assert codes == {NothingMeasured.exit_code}


def broken(content, source="it"):
    with pytest.raises(ResultsBroken) as caught:
        read(content if isinstance(content, bytes) else json.dumps(content).encode(), source)
    message = str(caught.value)
    assert message.startswith(f"{source}: ")
    assert message.endswith(
        "; name a file of results/runs/, a latest.json, `latest`, or a git revision that holds one"
    )
    assert "\n" not in message
    return message


@pytest.mark.parametrize("content", [b"", b"keras-bench", b"\xff\xfe\x00", b'{"tables": ['])
def test_what_is_not_json_is_broken(content):
    assert "isn't JSON" in broken(content)


@pytest.mark.parametrize(
    "document",
    [
        None,
        7,
        [],
        "tables",
        {},
        {"gate": {}},
        {"tables": None},
        {"tables": []},
        {"tables": [{"rows": [{"workload": "net"}]}]},
        {"machine_info": {"node": "another"}, "benchmarks": [], "version": "5.0.0"},
    ],
    ids=repr,
)
def test_json_of_another_kind_is_no_run(document):
    assert "isn't a run of keras-bench" in broken(document)


def documents(tmp_path):
    file = stored(tmp_path)
    return json.loads(file.read_text()), json.loads((tmp_path / "latest.json").read_text())


def test_another_schema_version_is_named(tmp_path):
    whole, tables_alone = documents(tmp_path)
    whole["machine_info"]["keras_bench"]["schema_version"] = 2
    tables_alone["schema_version"] = 2
    for document in (whole, tables_alone):
        assert "schema version 2, and this is 1" in broken(document)


@pytest.mark.parametrize("seconds", [0, -1.0, math.inf, "fast", None])
def test_a_time_that_no_process_takes_is_broken(tmp_path, seconds):
    _, document = documents(tmp_path)
    document["tables"][0]["rows"][0]["process_epoch_seconds"] = [0.1, seconds]
    assert "isn't a run of keras-bench" in broken(document)


@pytest.mark.parametrize("seconds", [[0.1] * 9 + [0.0], [-1.0] + [0.1] * 9], ids=str)
def test_an_epoch_that_takes_no_time_is_broken(tmp_path, seconds):
    document, _ = documents(tmp_path)
    document["benchmarks"][0]["extra_info"]["samples"][0]["epoch_seconds"] = seconds
    assert "net[jax]: an epoch took" in broken(document)


def test_a_time_of_day_that_is_none_is_broken(tmp_path):
    whole, tables_alone = documents(tmp_path)
    whole["machine_info"]["keras_bench"]["started_utc"] = "yesterday"
    tables_alone["started_utc"] = "yesterday"
    for document in (whole, tables_alone):
        assert "isn't a run of keras-bench" in broken(document)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a commit without results, and one with them."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)

    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=trunk")
    git("commit", "--quiet", "--allow-empty", "--message=empty")
    git("tag", "empty")
    stored(folder / "results")
    git("add", ".")
    git("commit", "--quiet", "--message=measured")
    git("tag", "measured")
    return folder


@pytest.mark.parametrize("revision", ["HEAD", "trunk", "measured", "@"])
def test_a_revision_stands_for_its_latest_json(repository, revision):
    (repository / "results" / "latest.json").write_text("changed since")
    found = find(revision, Path("results"))
    assert found.source == f"{revision}:results/latest.json"
    assert found.started_utc == RUN.started_utc
    assert len(found.arms) == 5


def test_the_results_directory_is_sought_from_the_root(repository, monkeypatch):
    folder = repository / "below"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for results in (Path("results"), repository / "results"):
        assert find("HEAD", results).source == "HEAD:results/latest.json"


def test_a_results_directory_outside_the_repository_is_in_no_revision(repository, tmp_path):
    with pytest.raises(ResultsBroken, match="isn't in there"):
        find("HEAD", tmp_path / "elsewhere")


def test_a_file_wins_over_a_revision(repository):
    Path("trunk").write_bytes(Path("results/latest.json").read_bytes())
    assert find("trunk", Path("results")).source == "trunk"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing", "is no file, and git knows no such revision"),
        ("empty..measured", "is no file, and git knows no such revision"),
        ("--all", "is no file, and git knows no such revision"),
        ("missing.json", "is no file, and git knows no such revision"),
        ("results", "is no file, and git knows no such revision"),
        ("empty", "is a revision that holds no results/latest.json"),
    ],
)
def test_what_is_no_run_in_a_repository_is_an_error_of_one_line(repository, name, reason):
    with pytest.raises(ResultsBroken) as caught:
        find(name, Path("results"))
    assert str(caught.value).startswith(name)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_outside_of_a_repository_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ResultsBroken, match="HEAD: is no file, and git says: not a git"):
        find("HEAD", Path("results"))


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResultsBroken, match="git can't be asked"):
        find("HEAD", Path("results"))


def test_a_latest_that_was_never_written_is_named(tmp_path):
    with pytest.raises(ResultsBroken, match=r"latest\.json: can't be read"):
        find("latest", tmp_path)
