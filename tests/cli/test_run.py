"""The command line, with fake interpreters: no framework is needed here."""

import csv
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import psutil
import pytest
from builders import blueprint

from keras_bench.measure.workloads import template

THREE = ("tensorflow", "jax", "torch")


def envs(python: str) -> list[str]:
    return [f"--env={backend}={python}" for backend in THREE]


def results(tmp_path: Path) -> Path:
    return tmp_path / "cwd" / "results"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['keras-bench', '--help']\n"
        "from keras_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'pandas', 'scipy', 'numpy', 'rich'}\n"
        "heavy |= {'altair', 'jinja2', 'vl_convert'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "Which Keras backend" in answer.stdout
    assert answer.stderr == "[]\n"


def test_a_run_prints_and_writes_its_tables(run_cli, fake_python, tmp_path: Path):
    answer = run_cli(
        "run", *envs(fake_python("sample({'jax': 0.0001}.get(request['backend'], 0.0004))"))
    )
    assert answer.returncode == 0, answer.stderr
    assert "jax trains dense_3_5_2 4.00 times as fast as tensorflow (4.00 to 4.00)" in answer.stdout
    assert "round 1, 6/6" in answer.stdout
    assert "\x1b" not in answer.stdout
    assert {file.name for file in results(tmp_path).iterdir()} == {
        "history.csv", "latest.csv", "latest.json", "latest.md", "report.html", "runs",
    }  # fmt: skip
    (stored,) = (results(tmp_path) / "runs").iterdir()
    assert (
        json.loads((results(tmp_path) / "latest.json").read_text())["run"] == f"runs/{stored.name}"
    )


def test_a_reader_that_goes_away_costs_nothing_that_was_measured(
    keras_bench, fake_python, tmp_path: Path
):
    python = fake_python("sample(0.01)")
    process = keras_bench("run", "dense_3_5_2", "--rounds=1", f"--env=jax={python}")
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""
    results = tmp_path / "cwd" / "results"
    assert {file.name for file in results.iterdir()} >= {"latest.md", "history.csv", "report.html"}


def test_one_backend_can_be_measured_alone(run_cli, fake_python):
    answer = run_cli(
        "run", "dense_3_5_2", "--backend=jax", "--rounds=2", *envs(fake_python("sample()"))
    )
    assert answer.returncode == 0
    assert "[torch]" not in answer.stdout
    assert "nothing to compare it with" in answer.stdout


def test_a_prediction_has_a_table_for_each_size_of_the_batch(run_cli, fake_python, tmp_path: Path):
    python = fake_python("sample({'jax': 0.0001}.get(request['backend'], 0.0004))")
    arguments = ("run", "dense_3_5_2", "--task=predict", "--rounds=2", *envs(python))
    answer = run_cli(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for size in (1, 32, 256):
        assert f"jax predicts a batch of dense_3_5_2(batch_size={size}) 4." in answer.stdout
    assert "call, ms" in answer.stdout
    assert "epoch" not in answer.stdout
    rows = pd.read_csv(results(tmp_path) / "latest.csv")
    assert set(rows["task"]) == {"predict"}
    assert rows["loss"].isna().all()
    answer = run_cli(*arguments, "--set=batch_size=8")
    assert "dense_3_5_2(batch_size=8)" in answer.stdout
    assert "batch_size=32" not in answer.stdout


def test_one_arms_failure_leaves_the_rest_and_the_exit_code_tells(run_cli, fake_python):
    python = fake_python("os._exit(3) if request['backend'] == 'torch' else sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *envs(python))
    assert answer.returncode == 5
    assert "torch failed: dense_3_5_2 on torch: the worker ended with exit code 3" in answer.stdout
    assert "(torch failed)" in answer.stdout


def test_a_backend_that_a_workload_is_not_for_is_no_failure(run_cli, fake_python, tmp_path: Path):
    problem = "say('problem', dict(kind='unsupported', message='it needs jax', traceback=''))"
    python = fake_python(f"{problem} if request['backend'] == 'torch' else sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *envs(python))
    assert answer.returncode == 0, answer.stdout
    reason = "not on torch: it needs jax; measure dense_3_5_2.py on another backend"
    assert reason in answer.stdout.splitlines()
    assert reason in (results(tmp_path) / "latest.md").read_text().replace("\\", "")
    answer = run_cli("run", "dense_3_5_2", "--backend=torch", "--rounds=2", *envs(python))
    assert answer.returncode == 3
    assert f"error: {reason}" in answer.stdout


def test_a_new_workload_is_written_once(run_cli, tmp_path: Path):
    assert "keras-bench run mine.py" in run_cli("new", "mine.py").stdout
    file = tmp_path / "cwd" / "mine.py"
    assert file.read_text() == template().read_text()
    file.write_text("changed")
    answer = run_cli("new", "mine.py")
    assert (answer.returncode, file.read_text()) == (2, "changed")
    assert "mine.py: is there already; choose another name" in answer.stderr


def test_where_every_arm_fails_nothing_is_written(run_cli, fake_python, tmp_path: Path):
    problem = (
        "say('problem', dict(kind='workload', message='has no function data()', traceback=''))"
    )
    answer = run_cli("run", "dense_3_5_2", *envs(fake_python(problem)))
    assert answer.returncode == 3
    assert answer.stdout.count("error: dense_3_5_2.py: has no function data()") == 1
    assert not (results(tmp_path) / "latest.md").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["run", "dense_3_5"], 2, "did you mean dense_3_5_2"),
        (["run", "--backend=jaxx"], 2, "did you mean jax?"),
        (["new", "mine.txt"], 2, "let it end in .py"),
        (["new", "nowhere/mine.py"], 2, "can't be written (no such file or directory)"),
        (["run", "--env=jax"], 2, "isn't BACKEND=PYTHON"),
        (["run", "--set=batch_size"], 2, "isn't NAME=VALUE"),
        (["run", "--set=batch size=3"], 2, "isn't NAME=VALUE"),
        (["run", "--set=batch_size=3", "--set=batch_size=4"], 2, "batch_size is set twice"),
        (["run", "--backend=numpy"], 2, "numpy: Keras can't train on this backend, only predict"),
        (["run", f"--env=openvino={sys.executable}"], 2, "openvino: Keras can't train"),
        (["run", "--task=predict", "--backend=numpy"], 4, "install keras-bench[numpy]"),
        (["run", "--task=guess"], 2, "'train', 'predict'"),
        (["calibrate", "--backend=numpy"], 2, "can't train on numpy"),
        (["run", "--tag=note"], 2, "no workload has this tag"),
        (["run", "--threads=many"], 2, "neither default, nor single"),
        (["run", "--precision=-1"], 2, "--precision"),
        (["run", "--rounds=0"], 2, "--rounds"),
        (["run", "--budget=inf"], 2, "no finite number"),
        (["run", "--timeout=nan"], 2, "--timeout"),
        (["run", "missing.py"], 3, "missing.py: doesn't exist"),
        (["run", "--env=jax=/nowhere/python"], 4, "no such interpreter"),
        (["run", "--backend=jax"], 4, "install keras-bench[jax]"),
        (["parity", "--env=jaxx=python"], 2, "did you mean jax?"),
        (["parity", "--backend=jaxx"], 2, "did you mean jax?"),
        (["parity", "--dtype=float16"], 2, "is not one of 'float32', 'float64'"),
        (["parity", "--epochs=0"], 2, "'--epochs': 0 is not in the range"),
        (["parity", "--tolerance=-1"], 2, "'--tolerance': -1.0 is not in the range"),
        (["parity", "--tolerance=nan"], 2, "'--tolerance': nan is no finite number"),
        (["parity", "--tolerance=inf"], 2, "'--tolerance': inf is no finite number"),
        (["parity", "--json=."], 2, "is a directory"),
        (["parity", "--backend=jax"], 4, "install keras-bench[jax]"),
        (["parity"], 4, "holds no backend"),
        (["show", "missing.json"], 10, "can't be read"),
        (["show"], 10, "measure with `keras-bench run`"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(run_cli, arguments, exit_code: int, message: str):
    answer = run_cli(*arguments)
    assert answer.returncode == exit_code
    assert message in answer.stderr.splitlines()[-1]
    assert answer.stderr.lower().count("error: ") == 1
    assert "Traceback" not in answer.stderr + answer.stdout


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
    answer = run_cli("parity", argument, *envs(fake_python("")))
    assert answer.returncode == exit_code
    (line,) = answer.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert answer.stdout == ""


def test_debug_shows_the_traceback(run_cli):
    assert "Traceback" in run_cli("--debug", "run", "missing.py").stderr


def test_debug_shows_the_traceback_of_a_worker(run_cli, fake_python):
    problem = "say('problem', dict(kind='workload', message='is odd', traceback='Traceback: here'))"
    answer = run_cli("run", "dense_3_5_2", "--debug", *envs(fake_python(problem)))
    assert "Traceback: here" in answer.stdout


def test_a_missing_backend_is_listed_with_its_remedy(run_cli):
    assert "not installed (keras-bench[jax])" in run_cli("list").stdout


def test_without_any_backend_it_says_how_to_get_one(run_cli):
    answer = run_cli("run")
    assert answer.returncode == 4
    assert "keras-bench[jax]" in answer.stderr


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_the_looking_commands_answer(run_cli, fake_python, command: str):
    answer = run_cli(command, *envs(fake_python("")))
    assert answer.returncode == 0, answer.stderr
    assert {"list": "dense_3_5_2", "doctor": "steal time"}[command] in answer.stdout


def test_a_results_place_that_is_a_file_is_refused_before_measuring(run_cli, fake_python, tmp_path):
    results(tmp_path).write_text("in the way")
    answer = run_cli("run", *envs(fake_python("sample()")))
    assert answer.returncode == 8
    assert "round 1" not in answer.stdout
    assert "name another place" in answer.stderr


def test_a_stored_run_is_shown_again(run_cli, fake_python):
    run_cli("run", "--rounds=2", *envs(fake_python("sample()")))
    answer = run_cli("show")
    assert answer.returncode == 0
    assert "dense_1_16_32_2" in answer.stdout


def test_a_broken_results_file_is_named(run_cli, fake_python, tmp_path: Path):
    run_cli("run", "--rounds=1", *envs(fake_python("sample()")))
    (file,) = (results(tmp_path) / "runs").iterdir()
    file.write_text(file.read_text()[:1000])
    answer = run_cli("show")
    assert answer.returncode == 10
    assert "isn't JSON" in answer.stderr


def test_results_that_turn_unwritable_are_saved_elsewhere(run_cli, fake_python, tmp_path: Path):
    # The results folder becomes a file while the first worker trains.
    behaviour = (
        "import shutil\n"
        "if os.path.isdir('results'):\n"
        "    shutil.rmtree('results'); open('results', 'w').close()\n"
        "sample()"
    )
    answer = run_cli("run", "--rounds=1", *envs(fake_python(behaviour)))
    assert answer.returncode == 8
    assert "The run is saved in" in answer.stdout
    (saved,) = (tmp_path / "tmp" / "keras-bench-results" / "runs").iterdir()
    assert run_cli("show", str(saved)).returncode == 0


def test_a_disk_that_fills_up_meanwhile_costs_no_result(run_cli, fake_python, tiny_disk, tmp_path):
    fill = (
        f"file = open({str(tiny_disk / 'filler')!r}, 'ab', 0)\n"
        "try:\n"
        "    while True: file.write(bytes(4096))\n"
        "except OSError: sample()"
    )
    answer = run_cli(
        "run", "dense_3_5_2", "--rounds=1", f"--results={tiny_disk}", *envs(fake_python(fill))
    )
    assert answer.returncode == 9
    assert "the disk is full; free some space" in answer.stdout
    (saved,) = (tmp_path / "tmp" / "keras-bench-results" / "runs").iterdir()
    assert run_cli("show", str(saved)).returncode == 0


def wait_for(condition, process) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def workers_of(process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


SLOW_SECOND_ROUND = "time.sleep(0 if request['epochs'] is None else 60); sample()"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_saves_what_it_has(keras_bench, fake_python, run_cli, tmp_path, number):
    process = keras_bench("run", "dense_3_5_2", *envs(fake_python(SLOW_SECOND_ROUND)))
    wait_for(lambda: list(results(tmp_path).glob("runs/*.json")), process)
    wait_for(lambda: workers_of(process), process)
    workers = workers_of(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "INCOMPLETE" in stdout
    assert "Traceback" not in stdout + stderr
    assert not any(worker.is_running() for worker in workers)
    assert json.loads((results(tmp_path) / "latest.json").read_text())["complete"] is False
    assert "INCOMPLETE" in run_cli("show").stdout


def test_an_interrupt_before_any_result_leaves_the_old_tables(keras_bench, fake_python, tmp_path):
    results(tmp_path).mkdir()
    (results(tmp_path) / "latest.md").write_text("the old tables")
    process = keras_bench("run", *envs(fake_python("time.sleep(60)")))
    wait_for(lambda: workers_of(process), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert (results(tmp_path) / "latest.md").read_text() == "the old tables"


def test_a_coordinator_killed_outright_leaves_its_finished_rounds(
    keras_bench, fake_python, run_cli, tmp_path
):
    process = keras_bench("run", "dense_3_5_2", *envs(fake_python(SLOW_SECOND_ROUND)))
    wait_for(lambda: list(results(tmp_path).glob("runs/*.json")), process)
    process.kill()
    process.communicate()
    answer = run_cli("show")
    assert answer.returncode == 0
    assert "INCOMPLETE" in answer.stdout


def test_a_second_run_on_the_machine_waits_for_the_first(keras_bench, fake_python):
    first = keras_bench("run", "dense_3_5_2", *envs(fake_python("time.sleep(60)")))
    wait_for(lambda: workers_of(first), first)
    second = keras_bench("run", "dense_3_5_2", "--rounds=1", *envs(fake_python("sample()")))
    assert "another keras-bench run is measuring" in second.stdout.readline()
    first.send_signal(signal.SIGINT)
    assert second.wait(60) == 0


#: An interpreter that notes what it was asked, takes part in parity as told, and times at once.
PARITY_PYTHON = """#!{python}
import json, os, sys, time
if "-m" not in sys.argv:
    print(json.dumps(["3.11.0", {{"keras": "3.0", "jax": "1", "torch": "2", "tensorflow": "3"}}]))
    sys.exit()
reply = int(sys.argv[-1])
((asked, request),) = json.loads(sys.stdin.readline()).items()
backend = request["backend"]
with open("asked", "a") as file:
    file.write(asked + "\\n")

def say(key, value):
    os.write(reply, (json.dumps({{key: value}}) + "\\n").encode())

if asked == "timing":
    epochs = [{{"jax": 0.0001}}.get(backend, 0.0004)] * (request["epochs"] or 20)
    say("sample", dict(
        import_seconds=0.0, build_seconds=0.0, epoch_seconds=epochs, epoch_cpu_seconds=epochs,
        losses=[0.5] * len(epochs), accuracies=[], examples=100, peak_rss_bytes=10**8,
        jit_compile=True, intra_op_threads=None, inter_op_threads=None, os_threads=3, cpus=[0]))
    sys.exit()
{behaviour}
"""

#: Takes the initial weight that it is told, which differs by SHIFT on one backend.
LEARNS = """
import numpy as np
name = os.path.join(request["folder"], request["name"])
np.savez(name + "-own.npz", x=np.ones((4, 1), "float32"), y=np.ones((4, 1), "float32"))
blueprint = json.loads(BLUEPRINT) | {"arrays_file": name + "-own.npz"}
say("blueprint", blueprint)
with np.load(json.loads(sys.stdin.readline())["file"]) as told:
    weight = told["initial/dense/kernel"] + SHIFT.get(backend, 0.0)
np.savez(name + "-seen.npz", **{"0/0/initial weights/dense/kernel": weight})
say("observation", {"file": name + "-seen.npz"})
"""


@pytest.fixture
def parity_python(tmp_path: Path):
    def make(behaviour: str) -> str:
        file = tmp_path / "parity_python"
        file.write_text(PARITY_PYTHON.format(python=sys.executable, behaviour=behaviour))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    return make


def learns(**shift: float) -> str:
    described = json.dumps(asdict(blueprint()))
    return f"BLUEPRINT = {described!r}\nSHIFT = {shift}\n{LEARNS}"


def asked(tmp_path: Path) -> list[str]:
    file = tmp_path / "cwd" / "asked"
    return file.read_text().split() if file.exists() else []


def outcomes(tmp_path: Path) -> dict[str, str]:
    with (results(tmp_path) / "latest.csv").open(newline="") as file:
        return {row["backend"]: row["parity"] for row in csv.DictReader(file)}


def test_a_backend_whose_parity_cannot_be_checked_is_unchecked(run_cli, fake_python, tmp_path):
    answer = run_cli("parity", "dense_3_5_2", "--json=parity.json", *envs(fake_python("")))
    assert answer.returncode == 3, answer.stderr
    for backend in THREE:
        assert f"- {backend} is unchecked: dense_3_5_2.py: has no parity;" in answer.stdout
    (told,) = json.loads((tmp_path / "cwd" / "parity.json").read_text())["workloads"]
    assert [each["outcome"] for each in told["backends"]] == ["unchecked"] * 3


def test_a_run_goes_on_where_parity_cannot_be_checked(run_cli, fake_python, tmp_path):
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", *envs(fake_python("sample()")))
    assert answer.returncode == 0, answer.stderr
    for backend in THREE:
        assert re.search(rf"^ +{backend} +unchecked +0\.1", answer.stdout, re.MULTILINE)
        assert f"parity: {backend} is unchecked: dense_3_5_2.py: has no parity;" in answer.stdout
    assert outcomes(tmp_path) == dict.fromkeys(THREE, "unchecked")


def test_parity_that_was_not_asked_for_is_not_checked(run_cli, parity_python, tmp_path):
    python = parity_python("os._exit(3)")
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", "--no-parity", *envs(python))
    assert answer.returncode == 0, answer.stderr
    assert asked(tmp_path) == ["timing"] * 3
    assert "checking" not in answer.stdout
    assert answer.stdout.count("parity: it wasn't checked") == 1
    assert outcomes(tmp_path) == dict.fromkeys(THREE, "unchecked")


def test_backends_that_learn_the_same_agree(run_cli, parity_python, tmp_path):
    answer = run_cli("parity", "dense_3_5_2", *envs(parity_python(learns())))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for backend in THREE:
        assert f"- {backend} agrees to rounding" in answer.stdout
    assert asked(tmp_path) == ["parity"] * 3


def test_a_backend_that_learns_something_else_fails_parity(run_cli, parity_python, tmp_path):
    python = parity_python(learns(jax=1.0))
    answer = run_cli("parity", "dense_3_5_2", "--json=out/parity.json", *envs(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "- jax parts from the reference before the training" in answer.stdout
    assert "where jax parts, each cause once" in answer.stdout
    assert "- torch agrees to rounding" in answer.stdout
    (told,) = json.loads((tmp_path / "cwd" / "out" / "parity.json").read_text())["workloads"]
    assert [each["outcome"] for each in told["backends"]] == ["agrees", "differs", "agrees"]


def test_a_deviation_that_the_user_lets_pass_agrees(run_cli, parity_python):
    python = parity_python(learns(jax=0.001, torch=0.1))
    answer = run_cli("parity", "dense_3_5_2", "--tolerance=0.01", *envs(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "- jax agrees to rounding" in answer.stdout
    assert "- torch parts from the reference" in answer.stdout


def test_a_run_does_not_offer_the_fastest_that_learns_something_else(
    run_cli, parity_python, tmp_path
):
    python = parity_python(learns(jax=1.0))
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *envs(python))
    assert answer.returncode == 11, answer.stdout + answer.stderr
    assert "(jax learns something else, see its parity)" in answer.stdout
    assert "parity: jax parts from the reference before the training" in answer.stdout
    assert outcomes(tmp_path) == {"tensorflow": "agrees", "torch": "agrees", "jax": "differs"}
    assert list(outcomes(tmp_path))[-1] == "jax"


def test_a_worker_killed_while_parity_is_checked_leaves_its_backend_unchecked(
    run_cli, parity_python
):
    python = parity_python(f"if backend == 'torch': os.kill(os.getpid(), 9)\n{learns()}")
    answer = run_cli("parity", "dense_3_5_2", *envs(python))
    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert (
        "- torch is unchecked: dense_3_5_2 on torch: the worker was killed by SIGKILL"
        in answer.stdout
    )
    assert "- jax agrees to rounding" in answer.stdout


def test_a_worker_killed_while_a_run_checks_parity_is_measured_all_the_same(
    run_cli, parity_python, tmp_path
):
    python = parity_python(f"if backend == 'torch': os.kill(os.getpid(), 9)\n{learns()}")
    answer = run_cli("run", "dense_3_5_2", "--rounds=1", *envs(python))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert outcomes(tmp_path) == {"jax": "agrees", "tensorflow": "agrees", "torch": "unchecked"}


@pytest.mark.parametrize(
    ("command", "number"), [("parity", signal.SIGINT), ("run", signal.SIGTERM)]
)
def test_an_interrupted_parity_check_leaves_nothing_behind(
    keras_bench, parity_python, tmp_path, command, number
):
    process = keras_bench(command, "dense_3_5_2", *envs(parity_python("time.sleep(60)")))
    wait_for(lambda: asked(tmp_path) == ["parity"] * 3, process)
    workers = workers_of(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.strip() == "error: keras-bench: interrupted; nothing was being measured"
    assert "Traceback" not in stdout
    assert len(workers) == 3
    assert not any(worker.is_running() for worker in workers)
    assert not list((tmp_path / "tmp").glob("keras-bench-*/"))
    assert not results(tmp_path).exists() or not list(results(tmp_path).iterdir())


def test_no_color_is_respected(run_cli, fake_python):
    coloured = run_cli("doctor", *envs(fake_python("")), FORCE_COLOR="1", NO_COLOR="")
    plain = run_cli("doctor", *envs(fake_python("")), FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[32m" in coloured.stdout
    assert "\x1b[32m" not in plain.stdout


def test_the_module_and_the_script_are_the_same_command():
    script = Path(sys.executable).with_name("keras-bench")
    asked = [[str(script), "--version"], [sys.executable, "-m", "keras_bench", "--version"]]
    answers = [subprocess.run(call, capture_output=True, text=True, check=True) for call in asked]
    assert answers[0].stdout == answers[1].stdout
    assert os.access(script, os.X_OK)
