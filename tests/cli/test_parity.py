"""Parity by itself and before a run, with a fake worker."""

import csv
import json
import re
import signal
from dataclasses import asdict
from pathlib import Path

import pytest
from builders import blueprint
from fake_worker import asked_of, env_options
from processes import PATIENCE_SECONDS, wait_for, workers_of

from keras_bench.records import BACKENDS

#: Takes the initial weight that it is told, which differs by SHIFT on one backend.
LEARNS = """
import numpy as np
name = os.path.join(request["folder"], request["name"])
if asked == "parity":
    np.savez(name + "-own.npz", x=np.ones((4, 1), "float32"), y=np.ones((4, 1), "float32"))
    say("blueprint", json.loads(BLUEPRINT) | {"arrays_file": name + "-own.npz"})
with np.load(json.loads(hear())["file"]) as told:
    weight = told["initial/dense/kernel"] + SHIFT.get(request["backend"], 0.0)
seen = {"0/0/initial weights/dense/kernel": weight} if asked == "parity" else {}
np.savez(name + "-seen.npz", **seen)
say("observation", {"file": name + "-seen.npz"})
"""

TORCH_DIES = "if request['backend'] == 'torch': os.kill(os.getpid(), 9)\n"


def results(tmp_path: Path) -> Path:
    return tmp_path / "cwd" / "results"


@pytest.mark.parametrize(
    ("argument", "exit_code", "message"),
    [
        ("dense_3_5", 2, "dense_3_5: no workload has this name; did you mean dense_3_5_2"),
        ("missing.py", 3, "missing.py: doesn't exist"),
        ("--json=taken/parity.json", 8, "can't be written"),
    ],
)
def test_a_parity_check_that_cannot_be_made_trains_nothing(
    run_cli, fake_python, tmp_path: Path, argument: str, exit_code: int, message: str
):
    (tmp_path / "cwd" / "taken").write_text("a file, where a folder should be")
    answer = run_cli("parity", argument, *env_options(fake_python("")))
    assert answer.returncode == exit_code
    (line,) = answer.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert answer.stdout == ""


def learns(step_numbers: int = 1000, **shift: float) -> str:
    described = json.dumps(asdict(blueprint(step_numbers=step_numbers)))
    return f"BLUEPRINT = {described!r}\nSHIFT = {shift}\n{LEARNS}"


def outcomes(tmp_path: Path) -> dict[str, str]:
    with (results(tmp_path) / "latest.csv").open(newline="") as file:
        return {row["backend"]: row["parity"] for row in csv.DictReader(file)}


def test_what_parity_has_no_means_to_compare_is_no_failure(run_cli, fake_python, tmp_path):
    answer = run_cli("parity", "dense_3_5_2", "--json=parity.json", *env_options(fake_python("")))
    assert answer.returncode == 0, answer.stderr
    for backend in BACKENDS:
        assert f"- {backend} is unchecked: dense_3_5_2.py: has no parity;" in answer.stdout
    (told,) = json.loads((tmp_path / "cwd" / "parity.json").read_text())["workloads"]
    assert [each["outcome"] for each in told["backends"]] == ["unchecked"] * 3


def test_a_model_too_large_for_the_memory_is_unchecked(run_cli, fake_python):
    python = fake_python("sample()", parity=learns(step_numbers=10**12))
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", *env_options(python))
    assert answer.returncode == 0, answer.stderr
    needed = "taking one of its steps apart needs some 600000 GB of memory, and"
    assert answer.stdout.count(f"is unchecked: dense_3_5_2: {needed}") == len(BACKENDS)


def test_a_run_goes_on_where_parity_cannot_be_checked(run_cli, fake_python, tmp_path):
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", *env_options(fake_python("sample()")))
    assert answer.returncode == 0, answer.stderr
    for backend in BACKENDS:
        assert re.search(rf"^ +{backend} +unchecked +\d", answer.stdout, re.MULTILINE)
        assert f"parity: {backend} is unchecked: dense_3_5_2.py: has no parity;" in answer.stdout
    assert outcomes(tmp_path) == dict.fromkeys(BACKENDS, "unchecked")


def test_parity_that_was_not_asked_for_is_not_checked(run_cli, fake_python, tmp_path):
    python = fake_python("sample()", parity="os._exit(3)")
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", "--no-parity", *env_options(python))
    assert answer.returncode == 0, answer.stderr
    assert asked_of(python) == ["timing"] * 3
    assert "checking" not in answer.stdout
    assert answer.stdout.count("parity: it wasn't checked") == 1
    assert outcomes(tmp_path) == dict.fromkeys(BACKENDS, "unchecked")


def test_backends_that_learn_the_same_agree(run_cli, fake_python, tmp_path):
    python = fake_python("sample()", parity=learns())
    answer = run_cli("parity", "dense_3_5_2", *env_options(python))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for backend in BACKENDS:
        assert f"- {backend} agrees to rounding" in answer.stdout
    assert asked_of(python) == ["parity"] * 3 + ["free_training"] * 3


def test_a_terminal_shows_how_far_the_check_has_come(run_cli, fake_python):
    python = fake_python("sample()", parity=learns())
    shown = run_cli("parity", "dense_3_5_2", *env_options(python), FORCE_COLOR="1").stdout
    assert "dense_3_5_2: taking its steps apart, and training by fit" in shown
    plain = run_cli("parity", "dense_3_5_2", *env_options(python)).stdout
    assert "taking its steps apart" not in plain


def test_a_backend_that_learns_something_else_fails_parity(run_cli, fake_python, tmp_path):
    python = fake_python("sample()", parity=learns(jax=1.0))
    answer = run_cli("parity", "dense_3_5_2", "--json=out/parity.json", *env_options(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "- jax parts from the reference before the training" in answer.stdout
    assert "where jax parts, each cause once" in answer.stdout
    assert "- torch agrees to rounding" in answer.stdout
    (told,) = json.loads((tmp_path / "cwd" / "out" / "parity.json").read_text())["workloads"]
    assert [each["outcome"] for each in told["backends"]] == ["agrees", "differs", "agrees"]


def test_a_deviation_that_the_user_lets_pass_agrees(run_cli, fake_python):
    python = fake_python("sample()", parity=learns(jax=0.001, torch=0.1))
    answer = run_cli("parity", "dense_3_5_2", "--tolerance=0.01", *env_options(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "- jax agrees to rounding" in answer.stdout
    assert "- torch parts from the reference" in answer.stdout


def test_a_run_does_not_offer_the_fastest_that_learns_something_else(
    run_cli, fake_python, tmp_path
):
    fastest = "sample({'jax': 0.0001}.get(request['backend'], 0.0004))"
    python = fake_python(fastest, parity=learns(jax=1.0))
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *env_options(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "(jax learns something else, see its parity" in answer.stdout
    assert "parity: jax parts from the reference before the training" in answer.stdout
    assert outcomes(tmp_path) == {"tensorflow": "agrees", "torch": "agrees", "jax": "differs"}
    assert list(outcomes(tmp_path))[-1] == "jax"


def test_a_worker_killed_while_parity_is_checked_leaves_its_backend_unchecked(run_cli, fake_python):
    python = fake_python("sample()", parity=f"{TORCH_DIES}{learns()}")
    answer = run_cli("parity", "dense_3_5_2", *env_options(python))
    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert (
        "- torch is unchecked: dense_3_5_2 on torch: the worker was killed by SIGKILL"
        in answer.stdout
    )
    assert "- jax agrees to rounding" in answer.stdout


def test_a_worker_killed_while_a_run_checks_parity_is_measured_all_the_same(
    run_cli, fake_python, tmp_path
):
    python = fake_python("sample()", parity=f"{TORCH_DIES}{learns()}")
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", *env_options(python))
    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert outcomes(tmp_path) == {"jax": "agrees", "tensorflow": "agrees", "torch": "unchecked"}
    assert re.search(r"^ +torch +unchecked +\d", answer.stdout, re.MULTILINE)
    assert "parity: torch is unchecked: dense_3_5_2 on torch: the worker was" in answer.stdout


@pytest.mark.parametrize(
    ("kind", "exit_code"), [("workload", 3), ("framework", 4), ("diverged", 7), ("unchecked", 0)]
)
@pytest.mark.parametrize("command", ["parity", "run"])
def test_what_kept_parity_from_being_checked_is_the_exit_code(
    run_cli, fake_python, command: str, kind: str, exit_code: int
):
    problem = f"say('problem', dict(kind={kind!r}, message='odd', traceback='', remedy='mend it'))"
    only_torch = f"if request['backend'] == 'torch':\n    {problem}\n    sys.exit()\n{learns()}"
    python = fake_python("sample()", parity=only_torch)
    rounds = ["--rounds=1"] if command == "run" else []
    answer = run_cli(command, "dense_3_5_2", *rounds, *env_options(python))
    assert answer.returncode == exit_code, answer.stdout + answer.stderr
    assert "torch is unchecked: dense_3_5_2" in answer.stdout


@pytest.mark.parametrize(
    ("command", "number"), [("parity", signal.SIGINT), ("run", signal.SIGTERM)]
)
def test_an_interrupted_parity_check_leaves_nothing_behind(
    start_cli, fake_python, tmp_path, command, number
):
    python = fake_python("sample()", parity="time.sleep(60)")
    process = start_cli(command, "dense_3_5_2", *env_options(python))
    wait_for(lambda: asked_of(python) == ["parity"] * 3, process)
    # Beside the workers, what ends them if the command is killed.
    workers_and_watchdog = workers_of(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert stderr.strip() == "error: keras-bench: interrupted; nothing was being measured"
    assert "Traceback" not in stdout
    assert len(workers_and_watchdog) == 3 + 1
    assert not any(each.is_running() for each in workers_and_watchdog)
    assert not list((tmp_path / "tmp").glob("keras-bench-*/"))
    assert not results(tmp_path).exists() or not list(results(tmp_path).iterdir())


def test_what_a_loop_is_compared_with_is_no_loop_to_check(run_cli):
    answer = run_cli("parity", "--loop=fit")
    assert answer.returncode == 2
    assert "fit is what loops are compared with" in answer.stderr


def test_a_loop_is_checked_in_the_precision_that_it_is_timed_in(run_cli):
    answer = run_cli("parity", "--loop=fused", "--dtype=float64")
    assert answer.returncode == 2
    assert "leave out --dtype float64" in answer.stderr
