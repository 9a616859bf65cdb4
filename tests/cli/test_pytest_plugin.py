"""Tests that pytest-benchmark times: a user's own file, run by a pytest of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD
from project import PROJECT

from keras_bench.measure.lock import machine_lock

ONE_LINE = """
from keras_bench import benchmark_workloads

test_training = benchmark_workloads({arguments})
"""
PLUGINS = ("-p", "no:cacheprovider", "-p", "any_machine")
#: A worker that says its epochs take so long; in truth they take longer.
SAYS = """
sample(0.001, {seconds})
"""
FAILS = """
say("problem", dict(kind="workload", message="no such layer", traceback="Traceback: line 7"))
"""


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    """A user's folder, in which pytest runs."""
    (pytester.path / "mine.py").write_text(SMALL_WORKLOAD)
    write_test(pytester.path, '"mine.py"')
    return pytester.path


def write_test(folder: Path, arguments: str) -> None:
    (folder / "test_mine.py").write_text(ONE_LINE.format(arguments=arguments))


@pytest.fixture
def run(folder: Path, pytester: pytest.Pytester, temporary_folder: Path, monkeypatch):
    """Run pytest in the user's folder and in the process of this test."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr("tempfile.tempdir", str(temporary_folder))
        monkeypatch.setenv("COLUMNS", "200")
        result = pytester.runpytest_inprocess(*PLUGINS, *arguments)
        stdout, stderr = "\n".join(result.outlines), "\n".join(result.errlines)
        return subprocess.CompletedProcess(arguments, result.ret, stdout, stderr)

    return run


@pytest.fixture
def start(temporary_folder: Path):
    """Start pytest as a process of its own, in which nothing is loaded yet."""

    def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *PLUGINS, *arguments],
            cwd=cwd,
            env={
                **os.environ,
                "TMPDIR": str(temporary_folder),
                "PYTHONPATH": str(PROJECT / "tests" / "support"),
            },
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def env(backend: str, python: str) -> str:
    return f"--keras-bench-env={backend}={python}"


def says(fake_python, seconds: float) -> str:
    return fake_python(SAYS.format(seconds=seconds))


def test_durations_are_those_that_workers_say(run, fake_python, folder):
    jax, torch = says(fake_python, 0.0005), says(fake_python, 0.0002)
    options = (env("jax", jax), env("torch", torch), "--benchmark-json=found.json", "-rs")
    answer = run(*options, "--benchmark-only")
    assert answer.returncode == 0, answer.stdout
    assert "2 passed, 1 skipped" in answer.stdout
    assert re.search(r"tensorflow: no environment of it is made; .*--make tensor", answer.stdout)
    document = json.loads((folder / "found.json").read_text())
    found = {each["params"]["backend"]: each for each in document["benchmarks"]}
    assert {each["group"] for each in found.values()} == {"mine"}
    assert found["jax"]["stats"]["data"] == pytest.approx([0.0005] * 5)
    assert found["torch"]["stats"]["data"] == pytest.approx([0.0002] * 5)
    known = found["jax"]["extra_info"]
    assert known["arm"]["backend"] == "jax"
    assert ["jax", "1"] in known["arm"]["environment"]["packages"]
    assert [each["round"] for each in known["samples"]] == [1, 2, 3, 4, 5]
    assert re.fullmatch("[0-9a-f]{8}", known["machine_fingerprint"])


def test_the_first_epoch_and_the_warm_up_never_count(run, fake_python, folder):
    behaviour = """
def say_late(key, value, say=say):
    if key == "sample":
        value["epoch_seconds"][:2] = [0.05, 0.04]
    say(key, value)
say = say_late
sample(0.002, 0.001)
"""
    few = ("-k", "jax", "--keras-bench-rounds=1")
    run(env("jax", fake_python(behaviour)), *few, "--benchmark-json=found.json")
    (found,) = json.loads((folder / "found.json").read_text())["benchmarks"]
    (sample,) = found["extra_info"]["samples"]
    assert sample["epoch_seconds"][0] == pytest.approx(0.05)
    assert sample["counted"][:2] == [0.0, 0.0]
    assert found["stats"]["max"] == pytest.approx(0.001)


def test_a_saved_run_is_compared_and_a_slowdown_fails(run, fake_python, folder):
    few = ("-k", "jax", "--keras-bench-rounds=2")
    before = run(env("jax", says(fake_python, 0.0002)), *few, "--benchmark-autosave")
    assert before.returncode == 0, before.stdout
    limits = ("--benchmark-compare", "--benchmark-compare-fail=mean:20%")
    same = run(env("jax", says(fake_python, 0.0002)), *few, *limits)
    assert same.returncode == 0, same.stdout
    assert re.search(r"mine-jax\] \(NOW\)", same.stdout)
    slower = run(env("jax", says(fake_python, 0.0003)), *few, *limits)
    assert slower.returncode != 0
    assert "Performance has regressed" in slower.stderr


def test_parameters_make_tests_of_their_own_and_k_chooses(run, fake_python, folder):
    write_test(folder, '"mine.py", "dense_3_5_2", batch_size=[8, 16], shuffle=False')
    listed = run("--collect-only", "-q", "-k", "jax and 16")
    found = re.findall(r"::test_training\[(.*)\]", listed.stdout)
    assert found == [
        "mine(batch_size=16, shuffle=False)-jax",
        "dense_3_5_2(batch_size=16, shuffle=False)-jax",
    ]


def test_without_benchmarks_it_trains_once_or_not_at_all(run, fake_python, folder):
    jax = env("jax", says(fake_python, 0.0005))
    once = run(jax, "-k", "jax", "--benchmark-disable")
    assert "1 passed" in once.stdout
    assert "Rounds" not in once.stdout
    assert "1 skipped" in run(jax, "-k", "jax", "--benchmark-skip").stdout


def test_a_failing_worker_fails_its_test_with_one_line(run, fake_python, folder):
    options = (env("jax", fake_python(FAILS)), env("torch", says(fake_python, 0.0005)))
    answer = run(*options, "--keras-bench-rounds=1", "--benchmark-json=found.json")
    assert answer.returncode == 1
    assert "1 failed, 1 passed, 1 skipped" in answer.stdout
    assert "\nmine.py: no such layer; fix mine.py" in answer.stdout
    assert "Traceback: line 7" in answer.stdout
    assert "During handling" not in answer.stdout
    (found,) = json.loads((folder / "found.json").read_text())["benchmarks"]
    assert found["params"]["backend"] == "torch"


def test_a_backend_that_the_model_is_not_for_is_skipped_with_the_reason(run, fake_python):
    unsupported = FAILS.replace('"workload"', '"unsupported"')
    answer = run(env("jax", fake_python(unsupported)), "-k", "jax", "-rs")
    assert answer.returncode == 0, answer.stdout
    assert "not on jax: no such layer; measure mine.py on another backend" in answer.stdout


def test_a_backend_that_was_named_must_be_there(run):
    answer = run(env("jax", sys.executable), "-k", "jax")
    assert answer.returncode == 1
    assert re.search(r"^jax: isn't installed beside Keras in ", answer.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--keras-bench-env=jx=python", "no backend is named 'jx'; did you mean jax?"),
        ("--keras-bench-env=numpy=python", "numpy can't train, only predict"),
        ("--keras-bench-rounds=0", "'0' is no number above 0"),
    ],
)
def test_a_wrong_option_is_a_wrong_command_line(run, option, reason):
    answer = run(option)
    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert reason in answer.stderr


def test_a_workload_that_is_missing_is_one_line(run, folder):
    write_test(folder, '"other.py"')
    answer = run()
    assert answer.returncode == pytest.ExitCode.INTERRUPTED
    assert "\nother.py: doesn't exist; name a Python file with build()\n" in answer.stdout


def test_it_waits_for_another_run_and_says_so(
    start, folder, fake_python, temporary_folder, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(temporary_folder))
    few = ("-k", "jax", "--keras-bench-rounds=1", env("jax", says(fake_python, 0.0005)))
    with machine_lock(lambda file: pytest.fail("waited for nobody")):
        process = start(*few, cwd=folder)
        lines = iter(process.stdout.readline, "")
        assert any(line.startswith("another keras-bench run is measuring") for line in lines)
    rest, _ = process.communicate(timeout=300)
    assert "1 passed" in rest


def test_the_suites_own_are_found_in_the_package_by_tag(run):
    package = ("--pyargs", "keras_bench", "--collect-only", "-q")
    listed = run(*package).stdout
    assert set(re.findall(r"\[(.*)-jax\]", listed)) == {"dense_3_5_2", "dense_1_16_32_2"}
    wrong = run(*package, "--keras-bench-tag=nots").stdout
    assert "nots: no workload has this tag; " in wrong


def test_pytest_bench_works_with_the_settings_of_this_repository(start, fake_python, tmp_path):
    def in_repository(*options: str) -> str:
        kept = ("--benchmark-autosave", f"--benchmark-storage={tmp_path}/kept")
        process = start("bench/", "-k", "jax and 3_5_2", *kept, *options, cwd=PROJECT)
        return process.communicate(timeout=300)[0]

    # Warnings are errors there, and that there is nothing to save is one.
    assert "1 skipped" in in_repository()
    jax = env("jax", says(fake_python, 0.0005))
    assert "1 passed" in in_repository(jax, "--keras-bench-rounds=1")
    assert len(list((tmp_path / "kept").rglob("*.json"))) == 1


def test_a_run_that_does_not_use_it_loads_nothing_for_it(start, folder):
    (folder / "test_mine.py").write_text("""
import sys

def test_nothing_is_loaded():
    ours = {each for each in sys.modules if each.partition(".")[0] == "keras_bench"}
    assert ours == {
        "keras_bench", "keras_bench.errors", "keras_bench.records", "keras_bench.pytest_plugin",
    }  # fmt: skip
    heavy = {"numpy", "scipy", "pandas", "click", "rich", "msgspec", "psutil", "keras"}
    assert heavy & set(sys.modules) == set()
""")
    process = start(cwd=folder)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
