"""Calibration as a command, with fake interpreters: no framework is needed here."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from keras_bench.commands import calibrate as module
from keras_bench.commands.calibrate import SLOWDOWNS, calibrate
from keras_bench.errors import Interrupted, LossDiverged, Undecided, UsageError, WorkerDied
from keras_bench.measure.machine import this_machine
from keras_bench.records import EnvironmentChoice, GateSettings

#: By the clock of which a fake worker tells without noise.
SETTINGS = GateSettings(metric="cpu", timeout_seconds=30.0)

#: A speed of its own for each process, about 1 % around the same.
NOISY = "import random; sample(0.004 * random.uniform(0.99, 1.01))"


@pytest.fixture(autouse=True)
def quick_and_by_itself(tmp_path: Path, monkeypatch):
    """Keep the lock of a real run away, and draw fewer gates."""
    monkeypatch.setattr("keras_bench.analyze.calibration.GATES", 200)
    monkeypatch.setattr("keras_bench.analyze.calibration.REDRAWS", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def run(fake_python, tmp_path: Path):
    def run(behaviour: str, passes: int = 2, page: Path | None = None, **settings) -> int:
        return calibrate(
            "dense_3_5_2",
            "jax",
            EnvironmentChoice((("jax", fake_python(behaviour)),)),
            replace(SETTINGS, **settings),
            passes,
            tmp_path / "results",
            page,
            False,
        )

    return run


def documents(tmp_path: Path):
    return [
        json.loads(file.read_text()) for file in (tmp_path / "results").glob("calibration/*.json")
    ]


def test_known_slowdowns_are_measured_and_seen(run, capsys, tmp_path: Path):
    page = tmp_path / "page.md"
    assert run(NOISY, 3, page) == 0
    said = capsys.readouterr().out
    assert "pass 3 of 3" in said
    assert "dense_3_5_2 on jax: a round's ratio is off by" in said
    (document,) = documents(tmp_path)
    rounds = document["calibration"]["rounds"]
    assert sorted(each["slowdown"] for each in rounds) == sorted(SLOWDOWNS * 3)
    for each in rounds:
        assert each["cpu_log_ratio"] == pytest.approx(math.log1p(each["slowdown"]), abs=0.03)
        assert each["log_ratio"] != each["cpu_log_ratio"]
        assert each["seconds"] > 0
    assert 0.001 < document["capability"]["noise"] < 0.02
    assert document["capability"]["smallest_slowdown"] <= 0.1
    assert document["threshold"] == 0.05
    assert document["calibration"]["machine"]["fingerprint"] == this_machine().fingerprint
    assert page.read_text().startswith("### dense_3_5_2 on jax\n")


def test_every_pass_has_an_order_of_its_own_by_the_seed(run, tmp_path: Path):
    run(NOISY, 2, seed=1)
    (document,) = documents(tmp_path)
    slowdowns = [each["slowdown"] for each in document["calibration"]["rounds"]]
    passes = [tuple(slowdowns[start : start + 5]) for start in range(0, 10, 5)]
    assert {tuple(sorted(each)) for each in passes} == {SLOWDOWNS}
    assert len(set(passes)) > 1


def test_a_second_page_is_added_below_the_first(run, tmp_path: Path):
    page = tmp_path / "page.md"
    run(NOISY, 2, page)
    run(NOISY, 2, page)
    assert page.read_text().count("### dense_3_5_2 on jax\n") == 2


def test_a_worker_that_dies_before_enough_rounds_leaves_nothing(run, tmp_path: Path):
    with pytest.raises(WorkerDied):
        run("os._exit(3)")
    assert documents(tmp_path) == []


def failing_after(tmp_path: Path, processes: int) -> str:
    """Return a behaviour that diverges once so many workers have been started."""
    counter = str(tmp_path / "counter")
    return (
        f"open({counter!r}, 'a').write('x')\n"
        f"if os.path.getsize({counter!r}) > {processes}:\n"
        "    say('problem', dict(kind='diverged', message='the loss became nan', traceback=''))\n"
        "    sys.exit()\n"
        f"{NOISY}"
    )


def test_a_worker_that_fails_later_keeps_what_was_measured_before(run, capsys, tmp_path: Path):
    with pytest.raises(LossDiverged):
        # One round to begin with, and two passes of five, of two processes each.
        run(failing_after(tmp_path, 2 * 11), passes=4)
    assert "a round's ratio is off by" in capsys.readouterr().out
    (document,) = documents(tmp_path)
    assert len(document["calibration"]["rounds"]) == 10


def interrupted_after(monkeypatch, rounds: int):
    """Let Ctrl-C come once so many rounds have been measured."""
    measure, left = module._measure, iter(range(rounds + 1))

    def stopping(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(module, "_measure", stopping)


def test_an_interruption_keeps_what_was_measured(run, monkeypatch, tmp_path: Path):
    interrupted_after(monkeypatch, 12)
    with pytest.raises(Interrupted, match="what was measured is saved"):
        run(NOISY, passes=10)
    (document,) = documents(tmp_path)
    assert len(document["calibration"]["rounds"]) == 12


def test_an_early_interruption_leaves_the_calibration_before_as_it_was(run, monkeypatch, tmp_path):
    run(NOISY, 2)
    before = documents(tmp_path)
    interrupted_after(monkeypatch, 4)
    with pytest.raises(Interrupted, match="too few rounds are measured to save"):
        run(NOISY, 2)
    assert documents(tmp_path) == before


def test_an_unknown_workload_is_said_before_anything_is_measured(fake_python, tmp_path: Path):
    with pytest.raises(UsageError):
        calibrate(
            "dense_352", "jax", fake_python(NOISY), SETTINGS, 2, tmp_path / "results", None, False
        )
    assert not (tmp_path / "results").exists()


def test_the_clock_that_jumps_in_every_round_is_named(run, tmp_path: Path):
    with pytest.raises(Undecided, match="the clock jumped in most rounds"):
        run("sample(0.002, 1000.0)", 2)
    assert documents(tmp_path) == []


def test_a_round_in_which_the_clock_jumped_is_left_out(run, monkeypatch, tmp_path: Path):
    jumps = iter([False, False, True])
    monkeypatch.setattr(module, "_jumped", lambda before, after: next(jumps, False))
    assert run(NOISY, 3) == 0
    (document,) = documents(tmp_path)
    assert len(document["calibration"]["rounds"]) == 3 * len(SLOWDOWNS) - 1
