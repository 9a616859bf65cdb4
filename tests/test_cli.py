"""The command line, with fake interpreters: no framework is needed here."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

THREE = ("tensorflow", "jax", "torch")


def envs(python: str) -> list[str]:
    return [f"--env={backend}={python}" for backend in THREE]


def results(tmp_path: Path) -> Path:
    return tmp_path / "cwd" / "results"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['keras-bench', '--help']\n"
        "from bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'pandas', 'scipy', 'numpy', 'rich'}\n"
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
        "latest.csv", "latest.json", "latest.md", "runs",
    }  # fmt: skip
    (stored,) = (results(tmp_path) / "runs").iterdir()
    assert (
        json.loads((results(tmp_path) / "latest.json").read_text())["run"] == f"runs/{stored.name}"
    )


def test_one_backend_can_be_measured_alone(run_cli, fake_python):
    answer = run_cli(
        "run", "dense_3_5_2", "--backend=jax", "--rounds=2", *envs(fake_python("sample()"))
    )
    assert answer.returncode == 0
    assert "[torch]" not in answer.stdout
    assert "nothing to compare it with" in answer.stdout


def test_one_arms_failure_leaves_the_rest_and_the_exit_code_tells(run_cli, fake_python):
    python = fake_python("os._exit(3) if request['backend'] == 'torch' else sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *envs(python))
    assert answer.returncode == 5
    assert "torch failed: dense_3_5_2 on torch: the worker ended with exit code 3" in answer.stdout
    assert "(torch failed)" in answer.stdout


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
        (["run", "--env=jax"], 2, "isn't BACKEND=PYTHON"),
        (["run", "--threads=many"], 2, "neither default, nor single"),
        (["run", "--precision=-1"], 2, "--precision"),
        (["run", "--rounds=0"], 2, "--rounds"),
        (["run", "--budget=inf"], 2, "no finite number"),
        (["run", "--timeout=nan"], 2, "--timeout"),
        (["run", "missing.py"], 3, "missing.py: doesn't exist"),
        (["run", "--env=jax=/nowhere/python"], 4, "no such interpreter"),
        (["run", "--backend=jax"], 4, "install keras-bench[jax]"),
        (["show", "missing.json"], 10, "can't be read"),
        (["show"], 10, "measure with `keras-bench run`"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(run_cli, arguments, exit_code: int, message: str):
    answer = run_cli(*arguments)
    assert answer.returncode == exit_code
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout


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
    assert "--results" in answer.stderr


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


def test_no_color_is_respected(run_cli, fake_python):
    coloured = run_cli("doctor", *envs(fake_python("")), FORCE_COLOR="1", NO_COLOR="")
    plain = run_cli("doctor", *envs(fake_python("")), FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[32m" in coloured.stdout
    assert "\x1b[32m" not in plain.stdout


def test_the_module_and_the_script_are_the_same_command():
    script = Path(sys.executable).with_name("keras-bench")
    asked = [[str(script), "--version"], [sys.executable, "-m", "bench", "--version"]]
    answers = [subprocess.run(call, capture_output=True, text=True, check=True) for call in asked]
    assert answers[0].stdout == answers[1].stdout
    assert os.access(script, os.X_OK)
