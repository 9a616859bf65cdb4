"""What the command line answers without measuring: help, `list`, `doctor`, `show` and `new`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_worker import env_options

from keras_bench.measure.workloads import template


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


def test_a_new_workload_is_written_once(run_cli, tmp_path: Path):
    assert "keras-bench run mine.py" in run_cli("new", "mine.py").stdout
    file = tmp_path / "cwd" / "mine.py"
    assert file.read_text() == template().read_text()
    file.write_text("changed")
    answer = run_cli("new", "mine.py")
    assert (answer.returncode, file.read_text()) == (2, "changed")
    assert "mine.py: is there already; choose another name" in answer.stderr


def test_debug_shows_the_traceback(run_cli):
    assert "Traceback" in run_cli("--debug", "run", "missing.py").stderr


def test_list_makes_no_environment_and_says_that_a_run_does(run_cli, maker):
    assert run_cli("list").stdout.count("made on first use") == 5
    assert maker.made == []


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_the_looking_commands_answer(run_cli, fake_python, command: str):
    answer = run_cli(command, *env_options(fake_python("")))
    assert answer.returncode == 0, answer.stderr
    assert {"list": "dense_3_5_2", "doctor": "steal time"}[command] in answer.stdout


def test_a_stored_run_is_shown_again(run_cli, fake_python):
    run_cli("run", "--rounds=2", *env_options(fake_python("sample()")))
    answer = run_cli("show")
    assert answer.returncode == 0
    assert "dense_1_16_32_2" in answer.stdout


def test_a_broken_results_file_is_named(run_cli, fake_python, tmp_path: Path):
    run_cli("run", "--rounds=1", *env_options(fake_python("sample()")))
    (file,) = (results(tmp_path) / "runs").iterdir()
    file.write_text(file.read_text()[:1000])
    answer = run_cli("show")
    assert answer.returncode == 10
    assert "isn't JSON" in answer.stderr


def test_no_color_is_respected(run_cli, fake_python):
    coloured = run_cli("doctor", *env_options(fake_python("")), FORCE_COLOR="1", NO_COLOR="")
    plain = run_cli("doctor", *env_options(fake_python("")), FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[32m" in coloured.stdout
    assert "\x1b[32m" not in plain.stdout


def test_the_module_and_the_script_are_the_same_command():
    script = Path(sys.executable).with_name("keras-bench")
    asked = [[str(script), "--version"], [sys.executable, "-m", "keras_bench", "--version"]]
    answers = [subprocess.run(call, capture_output=True, text=True, check=True) for call in asked]
    assert answers[0].stdout == answers[1].stdout
    assert os.access(script, os.X_OK)
