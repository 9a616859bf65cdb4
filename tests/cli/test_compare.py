"""`keras-bench compare` on stored runs, as a user calls it."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from builders import AGREES, DIFFERS, ENVIRONMENT, MACHINE, arm, failure, result, run, sample
from history_builders import started
from repositories import git

from keras_bench.analyze.comparison import tables
from keras_bench.errors import WorkloadError
from keras_bench.records import ArmResult, Settings
from keras_bench.store import history, latest, runs

CALM = (0.0500, 0.0501, 0.0499, 0.0502, 0.0498, 0.0500)
NEWER = replace(ENVIRONMENT, packages=(*ENVIRONMENT.packages[:1], ("keras", "3.16.0")))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results directory of the folder that the command runs in."""
    return tmp_path / "cwd" / "results"


def net(factor=1.0, backend="jax", **changes) -> ArmResult:
    return result(
        backend, *[factor * each for each in CALM], **{"parity": AGREES} | changes
    )  # fmt: skip


def store(results: Path, number: int, *arms: ArmResult, **changes) -> str:
    """Store a run as `keras-bench run` does, and return its file as the command is told it."""
    known = run(*arms, **{"started_utc": started(number)} | changes)
    file = runs.save(known, results)
    latest.save(known, tables(known), results)
    history.append(
        known.results,
        started_utc=known.started_utc,
        machine=known.machine,
        kind="run",
        results_folder=results,
    )
    return str(file.relative_to(results.parent))


def history_of(results: Path, *backends: str) -> None:
    """Let a machine measure seven times in an hour what differs by a percent."""
    for number, factor in enumerate((1.0, 1.01, 0.99, 1.01, 0.99, 1.0, 1.01)):
        store(results, number, *[net(factor, backend) for backend in backends])


def test_a_slower_run_is_a_regression_in_every_output(run_cli, results, tmp_path):
    history_of(results, "jax", "torch")
    before = store(results, 10, net(), net(backend="torch"))
    newer = arm(environment=NEWER)
    store(results, 12, replace(net(1.3), arm=newer), net(backend="torch"))
    answer = run_cli(
        "compare", before, "latest",
        "--markdown=out/page.md", "--json=out/found.json", "--junit=out/suite.xml",
        GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
    )  # fmt: skip
    assert answer.returncode == 12, answer.stderr
    assert "regressed: net on jax takes 1.30 times as long" in answer.stdout
    assert "unchanged: net on torch takes 1.00 times as long" in answer.stdout
    assert "keras 3.15.1 → 3.16.0" in answer.stdout
    assert "::error title=keras-bench compare::regressed: net on jax" in answer.stdout
    assert "Written to out/page.md, out/found.json, out/suite.xml" in answer.stdout
    out = results.parent / "out"
    page = (out / "page.md").read_text()
    assert "- regressed: net on jax" in page
    assert (tmp_path / "summary.md").read_text() == page
    found = json.loads((out / "found.json").read_text())
    assert [pair["verdict"] for pair in found["pairs"]] == ["regressed", "unchanged"]
    suite = ElementTree.parse(out / "suite.xml").getroot()
    assert (suite.get("name"), suite.get("failures")) == ("keras-bench compare", "1")


def test_a_dash_leaves_standard_output_to_the_file_alone(run_cli, results):
    before, after = store(results, 10, net()), store(results, 12, net())
    answer = run_cli("compare", before, after, "--json=-")
    assert json.loads(answer.stdout)["pairs"][0]["verdict"] == "undecided"
    assert "undecided: net on jax" in answer.stderr
    assert not (results.parent / "-").exists()


def test_the_way_back_is_an_improvement(run_cli, results):
    history_of(results, "jax")
    before, after = store(results, 10, net(1.3)), store(results, 12, net())
    answer = run_cli("compare", before, after)
    assert answer.returncode == 0
    assert "improved: net on jax" in answer.stdout
    assert "::error" not in answer.stdout
    assert {file.name for file in results.parent.iterdir()} == {"results"}


def test_without_a_history_it_is_undecided_and_a_flag_lets_that_fail(run_cli, results):
    before = store(results, 10, net())
    store(results, 12, net(8.0))
    (results / "history.csv").unlink()
    answer = run_cli("compare", before, "latest")
    assert answer.returncode == 0
    assert "undecided: net on jax takes 8.00" in answer.stdout
    assert "keras-bench gate measures both in the same rounds" in answer.stdout
    assert run_cli("compare", before, "latest", "--fail-undecided").returncode == 13


def test_a_threshold_can_be_chosen(run_cli, results):
    history_of(results, "jax")
    before = store(results, 10, net())
    store(results, 12, net(1.1))
    assert run_cli("compare", before, "latest").returncode == 12
    answer = run_cli("compare", before, "latest", "--threshold=0.3")
    assert "unchanged: net on jax" in answer.stdout
    assert answer.returncode == 0


def test_a_revision_is_compared_with_what_was_measured_since(run_cli, results):
    history_of(results, "jax")
    store(results, 10, net())
    folder = results.parent
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=empty")
    git(folder, "tag", "empty")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=measured")
    store(results, 12, net(1.3))
    answer = run_cli("compare", "HEAD", "latest")
    assert answer.returncode == 12
    assert "baseline: HEAD:results/latest.json (2026-01-01T01:40:00Z)" in answer.stdout
    answer = run_cli("compare", "empty", "latest")
    assert answer.returncode == 10
    assert answer.stderr.startswith(
        "error: empty: is a revision that holds no results/latest.json; name a file"
    )
    git(folder, "commit", "--quiet", "--all", "--message=again")
    assert run_cli("compare", "HEAD~1", "HEAD").returncode == 12


def test_runs_of_different_machines_are_refused_or_shown_without_a_verdict(run_cli, results):
    before = store(results, 10, net(), net(2.0, "torch"))
    other = replace(MACHINE, cpu="Another CPU", fingerprint="ffffffff")
    after = store(results, 12, net(1.3), net(2.6, "torch"), machine=other)
    refused = run_cli("compare", before, after)
    assert refused.returncode == 14
    assert "(cpu Some CPU → Another CPU)" in refused.stderr
    assert refused.stderr.count("\n") == 1
    answer = run_cli("compare", before, after, "--across-machines", GITHUB_ACTIONS="true")
    assert answer.returncode == 0
    assert "undecided: net on jax takes 1.30" in answer.stdout
    assert "against jax, the fastest, 1.000 times what it took" in answer.stdout
    assert "These ratios compare the machines as much as the software." in answer.stdout
    assert "::error" not in answer.stdout
    flags = ("--across-machines", "--fail-undecided")
    assert run_cli("compare", before, after, *flags).returncode == 13


def test_runs_of_different_thread_policies_are_refused_or_shown(run_cli, results):
    before = store(results, 10, net())
    single = replace(net(1.3), arm=arm(threads="single"))
    after = store(results, 12, single, settings=Settings(threads="single"))
    refused = run_cli("compare", before, after)
    assert refused.returncode == 14
    assert "threads default → single" in refused.stderr
    assert run_cli("compare", before, after, "--across-machines").returncode == 0


def test_across_machines_changes_nothing_on_one_machine(run_cli, results):
    history_of(results, "jax")
    before, after = store(results, 10, net()), store(results, 12, net(1.3))
    assert run_cli("compare", before, after, "--across-machines").returncode == 12


@pytest.mark.parametrize(
    ("arms", "code", "said"),
    [
        ([net(1.3, parity=DIFFERS)], 11, "parity failed: net on jax isn't the same training"),
        ([net(8.0, failure=failure())], 5, "failed: net on jax in the candidate: net on torch"),
        (
            [result("jax", failure=failure(WorkloadError("net.py", "has no data()", "add it")))],
            3,
            "failed: net on jax in the candidate: net.py: has no data(); add it",
        ),
        ([result("jax", *[sample(0.4)] * 2, parity=AGREES)], 0, "3 processes on each side"),
        ([net(8.0, workload="other"), net()], 0, "missing: other on jax is in the candidate alone"),
    ],
    ids=["parity", "failed", "not measured", "processes", "missing"],
)
@pytest.mark.parametrize("form", ["run", "latest"])
def test_an_arm_that_does_not_count_is_shown_with_the_reason(
    run_cli, results, arms, code, said, form
):
    history_of(results, "jax")
    before = store(results, 10, net())
    after = store(results, 12, *arms)
    answer = run_cli("compare", before, after if form == "run" else "latest")
    assert answer.returncode == code, answer.stderr
    assert said in answer.stdout


def test_an_interrupted_run_is_shown_without_a_verdict(run_cli, results):
    history_of(results, "jax")
    before = store(results, 10, net())
    store(results, 12, net(8.0), complete=False, stopped="interrupted")
    answer = run_cli("compare", before, "latest")
    assert answer.returncode == 0
    assert "the candidate was interrupted" in answer.stdout


def test_a_broken_line_of_the_history_is_said_once(run_cli, results):
    history_of(results, "jax")
    before, after = store(results, 10, net()), store(results, 12, net(1.3))
    with (results / "history.csv").open("a") as file:
        file.write("1,broken\n1,broken too\n")
    answer = run_cli("compare", before, after)
    assert answer.returncode == 12
    assert answer.stdout.count("warning: ") == 1
    assert "(and 1 more; see `keras-bench history`)" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument 'BASELINE'"),
        (["latest"], 2, "Missing argument 'CANDIDATE'"),
        (["latest", "latest", "--threshold=0"], 2, "--threshold"),
        (["latest", "latest", "--json=."], 2, "is a directory"),
        (["latest", "latest", "--json="], 2, "a file has no empty name"),
        (["latest", "latest", "--json=-", "--junit=-"], 2, "-: two outputs are to be there"),
        (["latest", "broken.json", "--json=./broken.json"], 2, "broken.json: it is read; name"),
        (["none.json", "latest"], 10, "none.json: is no file, and git says"),
        (["latest", "HEAD"], 10, "HEAD: is no file, and git says: not a git repository"),
        (["broken.json", "latest"], 10, "broken.json: isn't JSON"),
        (["other.json", "latest"], 10, "other.json: isn't a run of keras-bench"),
        (["schema.json", "latest"], 10, "schema version 99, and this is 1"),
        (["latest", "latest", "--results=elsewhere"], 10, "elsewhere/latest.json: can't be read"),
        (["latest", "latest"], 15, "latest and latest: are the same run"),
        (["latest", "unlike.json"], 15, "have no arm in common (net on jax; other on jax)"),
        (["latest", "latest", "--json=broken.json/out"], 8, "can't be written"),
    ],
    ids=str,
)
def test_a_wrong_call_is_answered_in_one_line(run_cli, results, arguments, code, said):
    folder = results.parent
    unlike = store(results, 9, net(workload="other"))
    (folder / "unlike.json").write_bytes((folder / unlike).read_bytes())
    store(results, 10, net())
    content = (results / "latest.json").read_text()
    (folder / "broken.json").write_text(content[:-20])
    (folder / "other.json").write_text("{}")
    (folder / "schema.json").write_text(
        content.replace('"schema_version": 1', '"schema_version": 99')
    )
    ceiling = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    answer = run_cli("compare", *arguments, **ceiling)
    assert answer.returncode == code
    assert said in answer.stderr
    assert answer.stdout == ""
    if code > 2:
        assert answer.stderr.startswith("error: ")
        assert answer.stderr.count("\n") == 1


def test_its_help_loads_nothing_heavy(run_cli):
    answer = run_cli("compare", "--help")
    assert answer.returncode == 0
    assert "BASELINE CANDIDATE" in answer.stdout
