"""`keras-bench run`, with a fake worker."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest
from fake_worker import asked_of, env_options
from processes import PATIENCE_SECONDS, START_WITHOUT_PAGE, wait_for, workers_of

JAX_IS_FASTEST = "sample({'jax': 0.001, 'torch': 0.004}.get(request['backend'], 0.016))"


def results(tmp_path: Path) -> Path:
    return tmp_path / "cwd" / "results"


@pytest.mark.draws_page
def test_a_run_prints_and_writes_its_tables(run_cli, fake_python, tmp_path: Path):
    python = fake_python(JAX_IS_FASTEST)
    answer = run_cli("run", "--rounds=4", *env_options(python))
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"jax trains dense_3_5_2 [\d.]+ times as fast as torch \(", answer.stdout)
    assert "round 4, 2/2" in answer.stdout
    assert "\x1b" not in answer.stdout
    assert {file.name for file in results(tmp_path).iterdir()} == {
        "history.csv", "latest.csv", "latest.json", "latest.md", "report.html", "runs",
    }  # fmt: skip
    (stored,) = (results(tmp_path) / "runs").iterdir()
    assert (
        json.loads((results(tmp_path) / "latest.json").read_text())["run"] == f"runs/{stored.name}"
    )


def test_a_reader_that_goes_away_costs_nothing_that_was_measured(
    start_cli, fake_python, tmp_path: Path
):
    python = fake_python("sample(0.01)")
    process = start_cli("run", "dense_3_5_2", "--quick", "--rounds=1", f"--env=jax={python}")
    process.stdout.close()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert process.stderr.read() == ""
    results = tmp_path / "cwd" / "results"
    assert {file.name for file in results.iterdir()} >= {"latest.md", "history.csv"}


@pytest.mark.parametrize(
    ("output", "reason"),
    [(">/dev/full", "no space left on device"), (">&-", "bad file descriptor")],
)
def test_a_standard_output_that_cannot_be_written_costs_nothing_that_was_measured(
    fake_python, command_folder: Path, output: str, reason: str
):
    arguments = ["run", "dense_3_5_2", "--quick", "--rounds=1", "--backend=jax"]
    command = [sys.executable, "-c", START_WITHOUT_PAGE, *arguments]
    python = fake_python("sample(0.01)")
    finished = subprocess.run(
        ["sh", "-c", f'exec "$@" {output} <&-', "sh", *command, f"--env=jax={python}"],
        cwd=command_folder,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert finished.returncode == 8, finished.stderr
    assert f"error: standard output: couldn't be written ({reason})" in finished.stderr
    results = command_folder / "results"
    assert {file.name for file in results.iterdir()} >= {"latest.md", "history.csv"}


def test_a_first_impression_of_one_backend_alone(run_cli, fake_python):
    answer = run_cli(
        "run", "dense_3_5_2", "--backend=jax", "--quick", *env_options(fake_python("sample()"))
    )
    assert answer.returncode == 0
    assert "[torch]" not in answer.stdout
    assert "nothing to compare it with" in answer.stdout
    assert "The run ended as asked after 3 rounds" in answer.stdout


def test_a_prediction_has_a_table_for_each_size_of_the_batch(run_cli, fake_python, tmp_path: Path):
    python = fake_python(JAX_IS_FASTEST)
    arguments = (
        "run", "dense_3_5_2", "--task=predict", "--backend=jax", "--backend=torch", "--rounds=4",
        *env_options(python),
    )  # fmt: skip
    answer = run_cli(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for size in (1, 32, 256):
        sentence = rf"jax predicts a batch of dense_3_5_2\(batch_size={size}\) [\d.]+ times as fast"
        assert re.search(sentence, answer.stdout)
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
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *env_options(python))
    assert answer.returncode == 5
    assert "torch failed: dense_3_5_2 on torch: the worker ended with exit code 3" in answer.stdout
    assert "(torch failed" in answer.stdout


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("os.write(reply, b'oh no\\n'); sample()", "it writes 'oh no' where the worker answers"),
        ("sample(claimed_seconds=float('nan'))", "an epoch took nan s"),
    ],
)
def test_a_workload_that_spoils_the_workers_answer_fails_alone(
    run_cli, fake_python, tmp_path: Path, spoil: str, said: str
):
    python = fake_python(f"if request['backend'] == 'torch':\n    {spoil}\nelse:\n    sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *env_options(python))
    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert answer.stderr == ""
    assert f"torch failed: dense_3_5_2 on torch: {said}" in answer.stdout
    rows = json.loads((results(tmp_path) / "latest.json").read_text())["tables"][0]["rows"]
    known = {row["backend"] for row in rows if row["epoch_seconds"] is not None}
    assert known == {"tensorflow", "jax"}


def test_a_backend_that_a_workload_is_not_for_is_no_failure(run_cli, fake_python, tmp_path: Path):
    problem = "say('problem', dict(kind='unsupported', message='it needs jax', traceback=''))"
    python = fake_python(f"{problem} if request['backend'] == 'torch' else sample()")
    answer = run_cli("run", "dense_3_5_2", "--rounds=2", *env_options(python))
    assert answer.returncode == 0, answer.stdout
    reason = "not on torch: it needs jax; measure dense_3_5_2.py on another backend"
    assert reason in answer.stdout.splitlines()
    assert reason in (results(tmp_path) / "latest.md").read_text().replace("\\", "")
    answer = run_cli("run", "dense_3_5_2", "--backend=torch", "--rounds=2", *env_options(python))
    assert answer.returncode == 3
    assert f"error: {reason}" in answer.stdout


def test_where_every_arm_fails_nothing_is_written(run_cli, fake_python, tmp_path: Path):
    problem = (
        "say('problem', dict(kind='workload', message='has no function data()', traceback=''))"
    )
    answer = run_cli("run", "dense_3_5_2", *env_options(fake_python(problem)))
    assert answer.returncode == 3
    assert answer.stdout.count("error: dense_3_5_2.py: has no function data()") == 1
    assert not (results(tmp_path) / "latest.md").exists()


def test_debug_shows_the_traceback_of_a_worker(run_cli, fake_python):
    problem = "say('problem', dict(kind='workload', message='is odd', traceback='Traceback: here'))"
    answer = run_cli("run", "dense_3_5_2", "--debug", *env_options(fake_python(problem)))
    assert "Traceback: here" in answer.stdout


def test_a_results_place_that_is_a_file_is_refused_before_measuring(run_cli, fake_python, tmp_path):
    results(tmp_path).write_text("in the way")
    answer = run_cli("run", *env_options(fake_python("sample()")))
    assert answer.returncode == 8
    assert "round 1" not in answer.stdout
    assert "name another place" in answer.stderr


def test_results_that_turn_unwritable_are_saved_elsewhere(run_cli, fake_python, tmp_path: Path):
    # The results folder becomes a file while the first worker trains.
    behaviour = (
        "import shutil\n"
        "if os.path.isdir('results'):\n"
        "    shutil.rmtree('results'); open('results', 'w').close()\n"
        "sample()"
    )
    answer = run_cli("run", "--rounds=1", *env_options(fake_python(behaviour)))
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
        "run",
        "dense_3_5_2",
        "--rounds=1",
        f"--results={tiny_disk}",
        *env_options(fake_python(fill)),
    )
    assert answer.returncode == 9
    assert "the disk is full; free some space" in answer.stdout
    (saved,) = (tmp_path / "tmp" / "keras-bench-results" / "runs").iterdir()
    assert run_cli("show", str(saved)).returncode == 0


#: The fourth of its workers hangs: the second of two in the second round.
HANGING_IN_ROUND_2 = """
if open(__file__ + ".asked").read().split().count("timing") > 3:
    time.sleep(600)
sample()
"""


@pytest.fixture
def hanging(start_cli, fake_python, tmp_path: Path):
    """A run of two arms that has finished its first round and hangs in its second.

    Of the two workers that it has then, one is stopped.
    """
    python = fake_python(HANGING_IN_ROUND_2)
    backends = ("--backend=jax", "--backend=torch", f"--env=jax={python}", f"--env=torch={python}")
    process = start_cli("run", "dense_3_5_2", "--quick", "--no-parity", *backends)
    wait_for(lambda: list(results(tmp_path).glob("runs/*.json")), process)
    wait_for(lambda: len(asked_of(python)) > 3, process)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_saves_what_it_has(hanging, run_cli, tmp_path, number):
    workers_and_watchdog = workers_of(hanging)
    hanging.send_signal(number)
    stdout, stderr = hanging.communicate(timeout=PATIENCE_SECONDS)
    assert hanging.returncode == 130, stderr
    assert "INCOMPLETE" in stdout
    assert "Traceback" not in stdout + stderr
    assert not any(each.is_running() for each in workers_and_watchdog)
    assert json.loads((results(tmp_path) / "latest.json").read_text())["complete"] is False
    assert "INCOMPLETE" in run_cli("show").stdout


def test_an_interrupt_before_any_result_leaves_the_old_tables(start_cli, fake_python, tmp_path):
    results(tmp_path).mkdir()
    (results(tmp_path) / "latest.md").write_text("the old tables")
    python = fake_python("time.sleep(600)")
    process = start_cli("run", "--no-parity", *env_options(python))
    wait_for(lambda: asked_of(python), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 130
    assert (results(tmp_path) / "latest.md").read_text() == "the old tables"


def test_a_coordinator_killed_outright_leaves_its_finished_rounds_and_no_process(hanging, run_cli):
    workers_and_watchdog = workers_of(hanging)
    hanging.kill()
    hanging.communicate()
    _, left = psutil.wait_procs(workers_and_watchdog, timeout=PATIENCE_SECONDS)
    assert left == []
    answer = run_cli("show")
    assert answer.returncode == 0
    assert "INCOMPLETE" in answer.stdout


def test_a_second_run_on_the_machine_waits_for_the_first(start_cli, fake_python):
    hanging, quick = fake_python("time.sleep(600)"), fake_python("sample()")
    first = start_cli("run", "dense_3_5_2", *env_options(hanging))
    wait_for(lambda: asked_of(hanging), first)
    alone = ("--quick", "--rounds=1", "--backend=jax", f"--env=jax={quick}")
    second = start_cli("run", "dense_3_5_2", *alone)
    assert "another keras-bench run is measuring" in second.stdout.readline()
    first.send_signal(signal.SIGINT)
    assert second.wait(PATIENCE_SECONDS) == 0


def test_pytest_benchmark_compares_two_runs(run_cli, fake_python, tmp_path: Path):
    few = ("dense_3_5_2", "--backend=jax", "--rounds=1", f"--env=jax={fake_python('sample()')}")
    for folder in ("before", "after"):
        answer = run_cli("run", *few, f"--results={folder}")
        assert answer.returncode == 0, answer.stdout + answer.stderr
    files = list((tmp_path / "cwd").glob("*/runs/*.json"))
    assert len(files) == 2
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert compared.stdout.count("dense_3_5_2[jax]") == 2
