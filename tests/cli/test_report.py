"""The command that writes a page, and the page that every run leaves."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders import MACHINE, gate, result, run, two_sides
from click.testing import CliRunner
from project import linked_results

from keras_bench.analyze.pairs import pairs
from keras_bench.cli import cli
from keras_bench.errors import ResultsBroken
from keras_bench.store import gates, runs

BEFORE = run(result("jax", 0.1, 0.11, 0.1), result("torch", 0.2, 0.21, 0.2))
AFTER = replace(BEFORE, started_utc="2026-02-01T00:00:00Z")


def report(results: Path, *files: Path) -> str:
    """Write the page, and return it."""
    command = ["report", *map(str, files), f"--results={results}"]
    answer = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert answer.exit_code == 0
    assert answer.output == f"Written to {results / 'report.html'}\n"
    return (results / "report.html").read_text(encoding="utf-8")


def test_without_a_file_it_is_of_the_newest_run(tmp_path):
    runs.save(BEFORE, tmp_path)
    runs.save(AFTER, tmp_path)
    page = report(tmp_path)
    assert AFTER.started_utc in page
    assert BEFORE.started_utc not in page


def test_it_goes_where_it_is_told(tmp_path):
    runs.save(BEFORE, tmp_path)
    elsewhere = tmp_path / "deep" / "page.html"
    CliRunner().invoke(cli, ["report", f"--results={tmp_path}", "-o", str(elsewhere)])
    assert elsewhere.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (tmp_path / "report.html").exists()


def test_two_runs_are_compared_and_both_shown(tmp_path):
    page = report(tmp_path, runs.save(BEFORE, tmp_path), runs.save(AFTER, tmp_path))
    assert page.count(">Is the candidate slower?</h2>") == 1
    assert all(f">Run of {each.started_utc}</h2>" in page for each in (BEFORE, AFTER))
    assert page.index("Is the candidate slower?") < page.index("Run of ")


def test_of_three_each_is_compared_with_the_first(tmp_path):
    files = [
        runs.save(replace(BEFORE, started_utc=f"2026-0{month}-01T00:00:00Z"), tmp_path)
        for month in (1, 2, 3)
    ]
    page = report(tmp_path, *files)
    assert page.count(">Is the candidate slower?</h2>") == 2
    assert page.count(f"baseline: {files[0]}") == 2


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (BEFORE, "are the same run"),
        (
            replace(AFTER, results=(result("jax", 0.1, workload="other"),)),
            "have no arm in common",
        ),
        (replace(AFTER, machine=replace(MACHINE, fingerprint="f", cpu="Old CPU")), "cpu Some CPU"),
    ],
    ids=["the same", "nothing in common", "another machine"],
)
def test_where_runs_cannot_be_compared_it_says_why(tmp_path, other, reason):
    page = report(tmp_path, runs.save(BEFORE, tmp_path), runs.save(other, tmp_path / "other"))
    assert reason in page


def test_a_gate_and_a_run_can_be_on_one_page(tmp_path):
    measured = gate(*two_sides([0.1] * 9))
    file = tmp_path / "gate.json"
    gates.save(measured, pairs(measured), file)
    page = report(tmp_path, file, runs.save(BEFORE, tmp_path))
    assert f">Gate of {measured.started_utc}</h2>" in page
    assert f">Run of {BEFORE.started_utc}</h2>" in page


def test_what_is_stored_here_has_a_page(tmp_path):
    runs = linked_results("README.md", "runs")
    gates = linked_results("docs/explanation/keras-releases.md", "gates")
    stored = runs + gates
    assert len(stored) == 2
    for file in stored:
        assert "<h1>" in report(tmp_path, file)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"gate": {}}'])
def test_what_is_no_run_is_an_error(tmp_path, content):
    file = tmp_path / "odd.json"
    if content is not None:
        file.write_text(content)
    answer = CliRunner().invoke(cli, ["report", str(file), f"--results={tmp_path}"])
    assert isinstance(answer.exception, ResultsBroken)
    assert str(file) in str(answer.exception)
    assert not (tmp_path / "report.html").exists()


def test_without_any_run_it_says_so(run_cli):
    answer = run_cli("report")
    assert answer.returncode == ResultsBroken.exit_code
    assert answer.stderr == ("error: results/runs: holds no run; measure with `keras-bench run`\n")


@pytest.mark.draws_page
def test_a_run_whose_page_cannot_be_written_loses_nothing_else(run_cli, fake_python, tmp_path):
    results = tmp_path / "cwd" / "results"
    (results / "report.html").mkdir(parents=True)
    python = fake_python("sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", "--backend=jax", f"--env=jax={python}")
    assert answer.returncode == 0, answer.stderr
    (line,) = [line for line in answer.stdout.splitlines() if "the page" in line]
    assert line.startswith("warning: the page couldn't be made (ResultsUnwritable: ")
    assert (results / "latest.md").is_file()


def test_a_page_of_several_asks_no_question_of_one(tmp_path):
    page = report(tmp_path, runs.save(BEFORE, tmp_path), runs.save(AFTER, tmp_path))
    assert "measured several times</h1>" in page


def test_a_history_that_cannot_be_read_is_told_on_the_page(tmp_path):
    runs.save(BEFORE, tmp_path)
    (tmp_path / "history.csv").write_bytes(b"\xff\xfe junk\n")
    assert "history.csv, line 1: left out, for it isn&#39;t UTF-8" in report(tmp_path)
