import shutil
import subprocess
import sys
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from builders import DIFFERS, MACHINE, failure, predicted, result, run
from history_builders import history_row
from project import PROJECT, SOURCES
from repositories import git

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.history import HISTORY_SCHEMA_VERSION, HistoryRow, history_rows, key
from keras_bench.errors import DiskFull, ResultsBroken, ResultsUnwritable
from keras_bench.records import ArmResult
from keras_bench.store import history
from keras_bench.store.history import COLUMNS, History, history_file, load

STARTED = "2026-01-02T03:04:05Z"
RESULTS = (result("jax", 0.1, 0.11, 0.105), result("torch", 0.3, 0.31, parity=DIFFERS))


def append(results, folder, started_utc=STARTED, kind="run") -> Path:
    return history.append(
        results, started_utc=started_utc, machine=MACHINE, kind=kind, results_folder=folder
    )


def without_commits(rows: tuple[HistoryRow, ...]) -> tuple[HistoryRow, ...]:
    return tuple(replace(row, commit="") for row in rows)


def line_of(row: HistoryRow, **texts: str) -> str:
    """Return a row's line, in which some fields are replaced by a text as it stands."""
    cells = ["" if cell is None else str(cell) for cell in astuple(row)]
    quoted = [f'"{cell}"' if "," in cell else cell for cell in cells]
    return ",".join(texts.get(name, text) for name, text in zip(COLUMNS, quoted, strict=True))


GOOD = line_of(history_row())
HEADING = ",".join(COLUMNS)


@pytest.fixture
def written(tmp_path):
    """Write a history of these lines and read it."""

    def write(*lines: str | bytes, end: bytes = b"\n") -> History:
        content = [line.encode() if isinstance(line, str) else line for line in lines]
        (tmp_path / "history.csv").write_bytes(end.join([*content, b""]))
        return load(tmp_path / "history.csv")

    return write


def test_what_is_appended_is_loaded(tmp_path):
    file = append(RESULTS, tmp_path)
    assert file == history_file(tmp_path)
    loaded = load(file)
    expected = history_rows(RESULTS, started_utc=STARTED, machine=MACHINE, kind="run")
    assert without_commits(loaded.rows) == expected
    assert loaded.warnings == ()


def test_a_row_says_what_the_table_says():
    measured = run(result("jax", 0.1, 0.11, 0.105), result("torch", 0.3, 0.31, 0.32))
    rows = history_rows(measured.results, started_utc=STARTED, machine=MACHINE, kind="run")
    for row, shown in zip(rows, tables(measured)[0].rows, strict=True):
        figures = shown.figures
        assert (row.epoch_seconds, row.epoch_seconds_low, row.epoch_seconds_high) == astuple(
            figures.epoch_seconds
        )
        for name in (
            "epoch_cpu_seconds", "first_epoch_seconds", "import_seconds", "build_seconds",
            "peak_rss_bytes", "processes", "epochs", "jit_compile",
        ):  # fmt: skip
            assert getattr(row, name) == getattr(figures, name)


def test_a_row_says_what_it_ran_on():
    (row,) = history_rows(RESULTS[:1], started_utc=STARTED, machine=MACHINE, kind="gate")
    assert (row.kind, row.started_utc, row.fingerprint) == ("gate", STARTED, "0123abcd")
    assert (row.python_version, row.keras_version) == ("3.11.7", "3.15.1")
    assert (row.framework_version, row.numpy_version) == ("0.10.2", "2.4.6")
    assert (row.cpu, row.usable_cores, row.system) == ("Some CPU", 4, "Linux 6.1")


def test_only_an_arm_with_samples_gets_a_row(tmp_path):
    results = (result("jax", failure=failure()), result("torch", 0.1, failure=failure()))
    rows = load(append(results, tmp_path)).rows
    assert [(row.backend, row.failed, row.counts) for row in rows] == [("torch", True, False)]


def test_where_nothing_was_measured_no_file_is_made(tmp_path):
    append((result("jax", failure=failure()),), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_the_file_is_only_added_to(tmp_path):
    file = append(RESULTS, tmp_path)
    before = file.read_bytes()
    append(RESULTS, tmp_path, started_utc="2026-01-03T00:00:00Z")
    after = file.read_bytes()
    assert after.startswith(before)
    assert after.count(COLUMNS[0].encode()) == 1
    assert len(load(file).rows) == 4


def test_names_with_commas_quotes_and_line_breaks_are_one_line_each(tmp_path):
    measured = result("jax", 0.1, workload='a "b", c\r\nd')
    file = append([measured], tmp_path)
    assert file.read_bytes().count(b"\n") == 2
    assert load(file).rows[0].workload == 'a "b", c d'


def test_the_commit_is_that_of_the_folder_of_the_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(append(RESULTS, tmp_path / "outside")).rows[0].commit == ""
    repository(tmp_path)
    head = git(tmp_path, "rev-parse", "HEAD")
    row = load(append(RESULTS, tmp_path / "inside")).rows[0]
    assert head.startswith(row.commit)
    assert len(row.commit) == 12


def test_a_last_line_that_was_cut_short_costs_no_other(tmp_path):
    file = append(RESULTS, tmp_path)
    file.write_bytes(file.read_bytes()[:-20])
    append(RESULTS, tmp_path, started_utc="2026-01-03T00:00:00Z")
    loaded = load(file)
    assert [row.started_utc[:10] for row in loaded.rows] == ["2026-01-02", *["2026-01-03"] * 2]
    (warning,) = loaded.warnings
    assert warning.startswith(f"{file}, line 3: ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2026-01-02T03:04:05Z,run", "3 fields"),
        (GOOD + ",more", f"{len(COLUMNS) + 1} fields"),
        ("<<<<<<< HEAD", "1 fields"),
        (bytes(300), "1 fields"),
        (line_of(history_row(), epoch_seconds="fast"), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds="0"), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds="-0.05"), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds="nan"), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds="inf"), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds=""), "epoch_seconds"),
        (line_of(history_row(), epoch_seconds_low="nan"), "epoch_seconds_low"),
        (line_of(history_row(), processes="0"), "processes"),
        (line_of(history_row(), started_utc="yesterday"), "started_utc"),
        (line_of(history_row(), kind="walk"), "kind"),
        (line_of(history_row(), failed="perhaps"), "failed"),
        (line_of(history_row(), schema_version="one"), "schema_version"),
        (line_of(history_row(), schema_version="0"), "schema_version"),
        (line_of(history_row(), workload='"net'), "CSV"),
        (GOOD.encode() + b"\xff", "UTF-8"),
    ],
)
def test_a_broken_row_is_left_out_and_told_in_a_line(written, tmp_path, line, reason):
    later = line_of(history_row(started_utc="2026-01-03T00:00:00Z"))
    loaded = written(HEADING, GOOD, line, later)
    assert [row.started_utc[:10] for row in loaded.rows] == ["2026-01-01", "2026-01-03"]
    (warning,) = loaded.warnings
    assert warning.startswith(f"{tmp_path / 'history.csv'}, line 3: left out, for ")
    assert reason in warning
    assert warning.endswith("; restore the line from a copy, or delete it")
    assert "\n" not in warning


@pytest.mark.parametrize("row", [f"{HISTORY_SCHEMA_VERSION + 1},of,another,shape", "10" + GOOD[1:]])
def test_a_row_of_a_newer_version_is_left_out_and_told_in_a_line(written, tmp_path, row):
    loaded = written(HEADING, row, GOOD)
    assert loaded.rows == (history_row(),)
    (warning,) = loaded.warnings
    assert warning.startswith(f"{tmp_path / 'history.csv'}, line 2: ")
    assert "newer keras-bench" in warning
    assert warning.endswith("update keras-bench to read it")


def test_headings_empty_lines_and_repeated_rows_are_ignored(written):
    other = line_of(history_row(backend="torch"))
    newer_heading = f"{COLUMNS[0]},of,another,shape"
    loaded = written(HEADING, GOOD, "", HEADING, other, GOOD, newer_heading, GOOD)
    assert [row.backend for row in loaded.rows] == ["jax", "torch"]
    assert loaded.warnings == ()


def test_a_file_that_windows_wrote_is_read(written):
    loaded = written(b"\xef\xbb\xbf" + HEADING.encode(), GOOD, end=b"\r\n")
    assert loaded == History((history_row(),))


def test_a_file_without_its_heading_is_read(written):
    assert written(GOOD).rows == (history_row(),)


def test_an_empty_file_has_no_rows(written):
    assert written() == History(())


def test_a_figure_that_there_is_none_of_stays_none(tmp_path):
    (row,) = load(append([result("jax", 0.1)], tmp_path)).rows
    assert row.processes == 1
    assert row.epoch_seconds_low is None
    assert row.epoch_seconds_high is None


@pytest.mark.parametrize("name", ["missing.csv", "folder.csv"])
def test_a_history_that_cannot_be_read_is_an_error_of_one_line(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ResultsBroken, match=r"can't be read .*; measure with") as caught:
        load(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_where_the_folder_should_be_is_an_error_of_one_line(tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(ResultsUnwritable) as caught:
        append(RESULTS, tmp_path / "results")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "results").read_text() == "mine"


def test_a_full_disk_is_named_and_leaves_the_history_as_it_was(tiny_disk):
    file = append(RESULTS, tiny_disk)
    before = file.read_bytes()
    with pytest.raises(OSError, match="No space left"):
        (tiny_disk / "filler").write_bytes(bytes(2**20))
    with pytest.raises(DiskFull, match="the disk is full; free some space"):
        append(RESULTS * 20, tiny_disk, started_utc="2026-01-03T00:00:00Z")
    assert file.read_bytes() == before
    (tiny_disk / "filler").unlink()
    append(RESULTS, tiny_disk, started_utc="2026-01-04T00:00:00Z")
    loaded = load(file)
    assert len(loaded.rows) == 4
    assert loaded.warnings == ()


APPEND_OFTEN = """
import sys
from pathlib import Path
from builders import MACHINE, result
from keras_bench.store.history import append

name, folder = sys.argv[1:]
results = [result(backend, 0.1, 0.2, workload=name * 20) for backend in ("jax", "torch")]
for number in range(25):
    append(results, started_utc=f"2026-01-01T00:00:{number:02d}Z", machine=MACHINE, kind="run",
           results_folder=Path(folder))
"""


def test_the_rows_of_two_processes_never_mix(tmp_path):
    command = [sys.executable, "-c", APPEND_OFTEN]
    path = {
        "PYTHONPATH": f"{PROJECT / 'tests' / 'support'}:{SOURCES}",
        "PATH": "/usr/bin:/bin",
    }
    processes = [
        subprocess.Popen([*command, name, str(tmp_path)], env=path, cwd=tmp_path) for name in "ab"
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    loaded = load(history_file(tmp_path))
    assert loaded.warnings == ()
    assert len(loaded.rows) == 2 * 25 * 2


def repository(folder: Path) -> None:
    """Make a repository with the attributes of this one."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    shutil.copy(PROJECT / ".gitattributes", folder)
    git(folder, "add", ".gitattributes")
    git(folder, "commit", "--quiet", "--message=begin")


@pytest.mark.parametrize("begun", [True, False], ids=["of one history", "of two new ones"])
def test_git_merges_two_histories_without_a_conflict(tmp_path, begun):
    def measure(results: tuple[ArmResult, ...], day: str) -> None:
        append(results, tmp_path / "results", started_utc=f"2026-01-{day}T00:00:00Z")
        git(tmp_path, "add", "results")
        git(tmp_path, "commit", "--quiet", "--message=measure")

    repository(tmp_path)
    if begun:
        measure(RESULTS, "01")
    git(tmp_path, "checkout", "--quiet", "-b", "other")
    measure(RESULTS, "03")
    git(tmp_path, "checkout", "--quiet", "main")
    measure(RESULTS, "02")
    git(tmp_path, "merge", "--quiet", "other", "--message=merge")
    loaded = load(history_file(tmp_path / "results"))
    days = sorted(row.started_utc[8:10] for row in loaded.rows)
    assert days == [*(["01"] * 2 if begun else []), "02", "02", "03", "03"]
    assert loaded.warnings == ()


def test_every_column_is_explained():
    page = PROJECT / "docs" / "reference" / "columns.md"
    explained = page.read_text(encoding="utf-8")
    section = explained[explained.index("history.csv") :]
    assert {column for column in COLUMNS if f"`{column}`" not in section} == set()


def test_a_line_from_before_there_were_tasks_is_of_a_training(written):
    older = ",".join(line_of(history_row(), schema_version="1").split(",")[:-2])
    (row,) = written(older).rows
    assert (row.schema_version, row.task) == (1, "train")
    assert key(row) == key(history_row())
    assert key(row) != key(history_row(task="predict"))


def test_a_line_from_before_slices_is_in_a_series_of_its_own(written):
    older = line_of(history_row(), schema_version="2").rpartition(",")[0]
    (row,) = written(older).rows
    assert (row.schema_version, row.method) == (2, "turns")
    assert key(row) != key(history_row(method="slices"))


def test_the_task_of_a_prediction_is_kept(tmp_path):
    (row,) = load(append([predicted("openvino", 0.001)], tmp_path)).rows
    assert (row.task, row.loop, row.workload) == ("predict", "predict", "net(batch_size=32)")
