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


#: What takes long to import, and looking has no use for.
HEAVY = {
    "altair", "jax", "jinja2", "keras", "numpy", "pandas", "pytest_benchmark", "scipy",
    "tensorflow", "torch",
}  # fmt: skip


def loaded(statement: str, folder: Path) -> tuple[str, set[str]]:
    """Return what a fresh interpreter prints by a statement, and the modules it has loaded."""
    code = (
        "import sys\n"
        f"try: {statement}\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return answer.stdout, set(answer.stderr.split())


def loaded_by(call: list[str], folder: Path) -> tuple[str, set[str]]:
    return loaded(f"from keras_bench.cli import cli; cli({call!r})", folder)


def test_help_loads_nothing_heavy(tmp_path: Path):
    text, modules = loaded_by(["--help"], tmp_path)
    assert "Which Keras backend" in text
    assert modules & {*HEAVY, "rich"} == set()


@pytest.mark.parametrize("call", [["list"], ["doctor"], ["new", "mine.py"]], ids=" ".join)
def test_looking_loads_nothing_heavy(tmp_path: Path, call: list[str]):
    text, modules = loaded_by(call, tmp_path)
    assert text
    assert modules & HEAVY == set()


def test_before_it_measures_nothing_is_loaded_that_it_needs_after(tmp_path: Path):
    commands = ", ".join(f"keras_bench.commands.{name}" for name in ("run", "gate", "explain"))
    _, modules = loaded(f"import {commands}", tmp_path)
    assert modules & {"altair", "jinja2", "pandas", "pytest_benchmark", "scipy.stats"} == set()


def test_a_new_workload_is_written_once(run_cli, tmp_path: Path):
    assert "keras-bench run mine.py" in run_cli("new", "mine.py").stdout
    file = tmp_path / "cwd" / "mine.py"
    assert file.read_text() == template().read_text()
    file.write_text("changed")
    answer = run_cli("new", "mine.py")
    assert (answer.returncode, file.read_text()) == (2, "changed")
    assert "mine.py: is there already; choose another name" in answer.stderr


@pytest.mark.parametrize(
    ("name", "command"),
    [("my model.py", "keras-bench run 'my model.py'"), ("-x.py", "keras-bench run -- -x.py")],
)
def test_what_is_advised_can_be_pasted(run_cli, name: str, command: str):
    assert f"Measure it with `{command}`." in run_cli("new", "--", name).stdout


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
    spoilt = {"OMP_NUM_THREADS": "1", "FORCE_COLOR": "1"}
    coloured = run_cli("doctor", *env_options(fake_python("")), NO_COLOR="", **spoilt)
    plain = run_cli("doctor", *env_options(fake_python("")), NO_COLOR="1", **spoilt)
    assert "\x1b[33m" in coloured.stdout
    assert "\x1b[33m" not in plain.stdout


def test_the_module_and_the_script_are_the_same_command():
    script = Path(sys.executable).with_name("keras-bench")
    asked = [[str(script), "--version"], [sys.executable, "-m", "keras_bench", "--version"]]
    answers = [subprocess.run(call, capture_output=True, text=True, check=True) for call in asked]
    assert answers[0].stdout == answers[1].stdout
    assert os.access(script, os.X_OK)
