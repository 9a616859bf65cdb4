"""The gate as a command, with fake interpreters: no framework is needed here."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from builders import FIRST_LOOK, calibration

from keras_bench.analyze.calibration import Capability
from keras_bench.analyze.pairs import pairs
from keras_bench.commands.gate import Outputs, measure
from keras_bench.commands.sides import Side
from keras_bench.commands.versions import sweep_versions
from keras_bench.errors import BackendError, ResultsUnwritable
from keras_bench.measure.machine import this_machine
from keras_bench.records import EnvironmentChoice, GateSettings, Selection
from keras_bench.store.calibrations import save as save_calibration
from keras_bench.store.gates import load
from keras_bench.store.history import load as load_history

#: By the clock of which a fake worker tells without noise.
SETTINGS = GateSettings(metric="cpu", timeout_seconds=30.0)
SAME = "sample(0.002)"
SLOWER = "sample(0.0026)"


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch):
    """Keep the lock of a real run away, and the variables of GitHub."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def gate(fake_python, tmp_path: Path):
    """Gate two interpreters, each given by what its worker does."""

    def run(
        baseline: str, candidate: str, *, undecided_fails=False, outputs=None, **settings
    ) -> int:
        return measure(
            Selection(("dense_3_5_2",)),
            Side("baseline", "jax", fake_python(baseline)),
            Side("candidate", "jax", fake_python(candidate)),
            EnvironmentChoice(),
            replace(SETTINGS, **settings),
            outputs or Outputs(tmp_path / "results"),
            undecided_fails,
            False,
        )

    return run


def stored(tmp_path: Path):
    (file,) = (tmp_path / "results" / "gates").glob("*.json")
    return load(file)


def test_the_same_on_both_sides_is_unchanged(gate, capsys, tmp_path: Path):
    assert gate(SAME, SAME) == 0
    said = capsys.readouterr().out
    assert "jax: the same versions on both sides" in said
    assert re.search(r"unchanged: dense_3_5_2 on jax takes 1\.0+ times the CPU time", said)
    assert stored(tmp_path).rounds == FIRST_LOOK
    assert stored(tmp_path).stopped == "decided"


def test_a_slower_candidate_is_confirmed_by_fresh_processes(gate, capsys, tmp_path: Path):
    assert gate(SAME, SLOWER) == 12
    said = capsys.readouterr().out
    assert re.search(r"regressed: dense_3_5_2 on jax takes 1\.30+ times the CPU time", said)
    # Outside of GitHub's actions nothing is annotated.
    assert "::error" not in said
    assert f"confirmed by {FIRST_LOOK} rounds of fresh processes" in said
    kept = stored(tmp_path)
    assert kept.rounds == 2 * FIRST_LOOK
    assert [len(result.samples) for result in kept.results] == [2 * FIRST_LOOK] * 2


@pytest.mark.parametrize(("undecided_fails", "exit_code"), [(False, 0), (True, 13)])
def test_a_budget_that_is_spent_leaves_it_undecided(gate, capsys, undecided_fails, exit_code):
    code = gate(SAME, SLOWER, budget_seconds=0.001, undecided_fails=undecided_fails)
    assert code == exit_code
    said = capsys.readouterr().out
    assert "undecided: dense_3_5_2 on jax has one round that counts, and a ratio needs two" in said
    assert "No further look fits the budget of 0.001 s after 1 round" in said


def test_every_output_that_was_asked_for_is_written(gate, capsys, tmp_path: Path, monkeypatch):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    outputs = Outputs(
        tmp_path / "results", tmp_path / "gate.md", tmp_path / "gate.json", tmp_path / "gate.xml"
    )
    assert gate(SAME, SLOWER, outputs=outputs) == 12
    assert "::error title=keras-bench gate::regressed: dense_3_5_2" in capsys.readouterr().out
    assert outputs.markdown.read_text() == summary.read_text()
    assert "| dense_3_5_2 | jax " in summary.read_text()
    (pair,) = json.loads(outputs.json.read_text())["pairs"]
    assert (pair["verdict"], pair["confirming_rounds"]) == ("regressed", FIRST_LOOK)
    suite = ElementTree.parse(outputs.junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    history = load_history(tmp_path / "results" / "history.csv")
    assert [row.label for row in history.rows] == ["baseline", "candidate"]
    assert {row.kind for row in history.rows} == {"gate"}


def test_what_calibration_found_is_said_before_anything_is_measured(gate, capsys, tmp_path: Path):
    known = calibration(machine=this_machine(), workload="dense_3_5_2", metric="cpu")
    found = Capability(0.05, (), 0.15, 300.0)
    save_calibration(known, found, 0.05, tmp_path / "results")
    assert gate(SAME, SAME) == 0
    said = capsys.readouterr().out
    warning = "of slowdowns this machine sees 15% at best, by calibration"
    assert said.index(warning) < said.index("unchanged: dense_3_5_2")
    gate(SAME, SAME, threshold=0.2)
    assert warning not in capsys.readouterr().out


def test_a_history_is_shown_of_what_was_run_gated_and_swept(
    run_cli, fake_python, gate, capsys, tmp_path: Path
):
    results = tmp_path / "results"
    python = fake_python("sample(0.01)")
    measured = run_cli(
        "run", "dense_3_5_2", "--backend=jax", f"--env=jax={python}", f"--results={results}",
        "--rounds=1", "--no-parity",
    )  # fmt: skip
    assert measured.returncode == 0, measured.stderr
    gate(SAME, SLOWER)
    sides = [Side(label, "jax", fake_python(SAME)) for label in ("keras 1", "keras 2")]
    sweep_versions(
        Selection(("dense_3_5_2",)), sides, EnvironmentChoice(), SETTINGS, Outputs(results), False
    )
    kinds = [row.kind for row in load_history(results / "history.csv").rows]
    assert kinds == ["run", "gate", "gate", "versions", "versions"]
    shown = run_cli("history", f"--results={results}")
    assert shown.returncode == 0, shown.stderr
    for label in ("baseline", "candidate", "keras 1", "keras 2"):
        assert f", {label}, machine" in shown.stdout
    assert shown.stdout.count("dense_3_5_2 on jax") == 5
    unknown = run_cli("history", "--workload=dense_352", f"--results={results}")
    assert unknown.returncode == 2
    assert "it holds dense_3_5_2 on jax" in unknown.stderr


def test_a_broken_environment_is_said_before_anything_is_measured(gate, fake_python, tmp_path):
    with pytest.raises(BackendError, match="no such interpreter"):
        measure(
            Selection(("dense_3_5_2",)),
            Side("baseline", "jax", fake_python(SAME)),
            Side("candidate", "jax", "/nowhere/python"),
            EnvironmentChoice(),
            SETTINGS,
            Outputs(tmp_path / "results"),
            False,
            False,
        )


def test_outputs_that_cannot_be_written_are_said_before_anything_is_measured(gate, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ResultsUnwritable):
        gate(SAME, SAME, outputs=Outputs(tmp_path / "results", tmp_path / "file" / "gate.md"))


def test_an_interpreter_that_vanishes_ends_its_pair_and_keeps_the_rest(gate, capsys, tmp_path):
    assert gate(SAME, "os.remove(__file__); sample(0.002)") == 4
    assert "can't be started (No such file or directory)" in capsys.readouterr().out
    kept = stored(tmp_path)
    # The other side has gone on without it to the end of the round.
    assert [len(result.samples) for result in kept.results] == [2, 1]
    assert kept.results[1].failure.exit_code == 4


def test_a_worker_that_dies_after_some_epochs_is_named(gate, capsys, tmp_path):
    dying = "for _ in range(4): epoch(0.002)\nos._exit(3)"
    assert gate(SAME, dying) == 5
    assert "failed: dense_3_5_2 on jax, candidate: the worker ended" in (capsys.readouterr().out)
    assert stored(tmp_path).results[0].failure is None


def test_a_loss_that_becomes_infinite_is_named(gate, capsys):
    diverged = "say('problem', dict(kind='diverged', message='the loss became nan', traceback=''))"
    assert gate(SAME, diverged) == 7
    assert "the loss became nan" in capsys.readouterr().out


@pytest.mark.parametrize("claimed_seconds", [1000.0, 1e6])
def test_rounds_in_which_the_clock_jumps_decide_nothing(gate, capsys, claimed_seconds: float):
    assert gate(SAME, f"sample(0.002, {claimed_seconds})", budget_seconds=0.001) == 15
    said = capsys.readouterr().out
    assert "undecided: dense_3_5_2 on jax has no round that counts" in said
    assert "round 1 left out: the clock jumped" in said


def test_a_sweep_compares_each_version_with_the_first_and_the_one_before(
    fake_python, capsys, tmp_path: Path
):
    sides = [
        Side("keras 1", "jax", fake_python(SAME)),
        Side("keras 2", "jax", fake_python(SLOWER)),
        Side("keras 3", "jax", fake_python("os._exit(3)")),
        Side("keras 4", "jax", "/nowhere/python"),
        Side("keras 5", "jax", fake_python(SAME)),
    ]
    page = tmp_path / "page.md"
    outputs = Outputs(tmp_path / "results", page)
    code = sweep_versions(
        Selection(("dense_3_5_2",)), sides, EnvironmentChoice(), SETTINGS, outputs, False
    )
    assert code == 0
    said = capsys.readouterr().out
    assert "keras 3 on jax failed: dense_3_5_2 on jax: the worker ended with exit code 3" in said
    assert "keras 4 on jax failed: /nowhere/python: no such interpreter" in said
    rows = [line.split("|")[1:-1] for line in page.read_text().splitlines() if "| jax" in line]
    found = {row[0].strip(): [cell.split(" (")[0].strip() for cell in row[3:]] for row in rows}
    assert found["keras 1"] == ["1", "", ""]
    assert_told(found["keras 2"], 1.3, 1.3, "regressed")
    assert found["keras 3"][2] == found["keras 4"][2] == "failed"
    assert_told(found["keras 5"], 1.0, 1 / 1.3, "improved")


def assert_told(cells: list[str], versus_first: float, versus_before: float, verdict: str) -> None:
    *ratios, said = cells
    assert list(map(float, ratios)) == pytest.approx([versus_first, versus_before], rel=0.01)
    # Beside other tests the machine may be busy, which the verdict says too.
    assert said.split(",")[0] == verdict


def test_both_sides_may_have_workloads_of_their_own(run_cli, fake_python, tmp_path: Path):
    folders = []
    for name in ("before", "after"):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        (folders[-1] / "mine.py").write_text(f"def build(): ...  # {name}")
    seen = tmp_path / "seen"
    python = fake_python(
        f"open({str(seen)!r}, 'a').write(request['workload']['module'] + '\\n'); sample(0.002)"
    )
    answer = run_cli(
        "gate", "mine", "--backend=jax", f"--baseline={python}", f"--candidate={python}",
        f"--baseline-workloads={folders[0]}", f"--candidate-workloads={folders[1]}",
        "--budget=1",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert set(seen.read_text().split()) == {str(folder / "mine.py") for folder in folders}


def test_an_interrupted_gate_is_saved_and_marked(
    gate, interrupted_in_round_2, capsys, tmp_path: Path
):
    assert gate(SAME, SLOWER) == 130
    assert "INCOMPLETE: the gate was interrupted after 1 round" in capsys.readouterr().out
    assert [pair.judgement.verdict for pair in pairs(stored(tmp_path))] == ["undecided"]


def test_a_sweep_of_nothing_but_broken_environments_says_why(run_cli):
    answer = run_cli("versions", "--backend=jax", "--spec=/nowhere", "--spec=/nowhere/too")
    assert answer.returncode == 4
    assert "/nowhere: no such interpreter" in answer.stdout
