"""Faulty calls, files, stores and workers by generation: each is told in a line, and loses nothing.

After every call: no traceback, no fault of the suite, an exit code of a kind, no process and no
temporary file left behind, and what was measured before still there.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import psutil
import pytest
from builders import result, run, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_bench.cli import cli
from keras_bench.store import runs

FAULT = "this is a fault of the suite"

#: The kinds of failures, and success; a run that finds a slower candidate isn't among them.
EXIT_CODES = {0, *range(2, 12), *range(13, 16)}

#: What nothing was measured for: the command line, or a file, is at fault.
REFUSED = {2, 3, 4}

#: What no option, name or place should break on.
ODD = (
    "", " ", "-", "--", "-1", "0", "1e999", "nan", "²", "9" * 400, "None", "True", "[]", "{}",
    "a=b", "=", "a,b", ",", "x" * 300, "\x1b[2J", "\x1b]52;c;eA==\x07", "a\nb", "a\tb", "..",
    "/dev/null", "\udcff", "%s", "$(id)", "é", "\u202e", "jax=", "=jax", "git:", "git:x@", "./",
    "~", "*", "C:\\x",
)  # fmt: skip

often = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

MEASURED = run(
    result("jax", sample(0.1, epochs=4), sample(0.2, epochs=4, round=2)),
    result("torch", sample(0.4, epochs=4)),
)

WORKLOAD = """
import keras

FIT = {"batch_size": 8, "epochs": 3}


def build():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
"""


@pytest.fixture
def attack(run_cli, command_folder: Path, temporary_folder: Path) -> Callable[..., Any]:
    """Call a command beside a stored run; return its answer once nothing is found to be broken."""
    stored = runs.save(MEASURED, command_folder / "kept")
    content = stored.read_bytes()
    before = set(psutil.Process().children())

    def call(*arguments: str, allowed: frozenset[int] = frozenset()) -> Any:
        answer = run_cli(*arguments)
        said = answer.stdout + answer.stderr
        assert FAULT not in said, (arguments, said)
        assert "Traceback" not in said, (arguments, said)
        assert "\x1b" not in said, (arguments, said)
        assert answer.returncode in EXIT_CODES | allowed, (arguments, answer.returncode, said)
        if answer.returncode in REFUSED and "Written to" not in answer.stdout:
            lines = answer.stderr.strip().splitlines() + answer.stdout.strip().splitlines()
            assert any("error: " in line.lower() for line in lines), (arguments, said)
        assert stored.read_bytes() == content
        assert not set(psutil.Process().children()) - before
        saved_elsewhere = temporary_folder / "keras-bench-results"
        assert set(temporary_folder.iterdir()) <= {saved_elsewhere}, arguments
        return answer

    return call


def measuring(python: str) -> list[str]:
    return ["--backend=jax", f"--env=jax={python}", "--no-parity", "--rounds=1"]


def options_of(name: str) -> list[str]:
    """Return all options of a command that take a value."""
    command = cli.commands[name]
    return [
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
    ]


@pytest.mark.parametrize(
    "command",
    ["run", "parity", "gate", "versions", "explain", "calibrate", "compare", "history", "report"],
)
@settings(often, max_examples=12)
@given(data=st.data())
def test_odd_values_of_options(attack, fake_python, tmp_path: Path, command: str, data):
    option = data.draw(st.sampled_from(options_of(command)))
    value = data.draw(st.sampled_from(ODD))
    given_too = {
        "run": ["dense_3_5_2", *measuring(fake_python("sample()"))],
        "compare": ["kept", "kept"],
        "history": [],
        "report": ["--results=kept"],
        # These refuse what they are given, or go on to measure for longer than a test may.
    }.get(command, ["nowhere.py"])
    attack(command, *given_too, f"{option}={value}", allowed=frozenset({12}))


@settings(often, max_examples=8)
@given(name=st.sampled_from(ODD), command=st.sampled_from(["run", "parity", "new", "show", "gate"]))
def test_odd_names(attack, fake_python, command_folder: Path, name: str, command: str):
    extra = measuring(fake_python("sample()")) if command == "run" else []
    for each in (name, f"{name}.py"):
        # Nothing is written outside of the test's own folders.
        if command != "new" or not Path(each).is_absolute():
            attack(command, *extra, "--", each)


#: What `FIT`, or an argument in it, may be.
LITERALS = (
    "None", "True", "-1", "0", "1e999", "'x'", "[]", "{}", "10**400", "b''", "...", "1j",
    "lambda: 1", "open('/dev/zero').read(1)", "float('nan')", "{1: 2}", "[[]]", "'\\x1b[2J'",
    "__import__('os')",
)  # fmt: skip

NAMES = (
    '"epochs"', '"batch_size"', '"steps_per_epoch"', '"callbacks"', "1", "None", '"verbose"',
    '"initial_epoch"', '"validation_split"', '"\\x00"', '"class_weight"',
)  # fmt: skip

FILES = (
    "", "\x00", "\ufeff" + WORKLOAD, "# coding: nowhere\n", "(" * 5000, "x = " + "-" * 90000,
    "def build(): return 1\n" * 500, "FIT = FIT", "raise SystemExit", "class build: pass",
)  # fmt: skip


@often
@given(data=st.data())
def test_odd_workload_files(attack, fake_python, command_folder: Path, data):
    with_another_setting = st.builds(
        lambda name, value: WORKLOAD.replace('"epochs": 3', f"{name}: {value}"),
        st.sampled_from(NAMES),
        st.sampled_from(LITERALS),
    )
    cut_short = st.integers(0, len(WORKLOAD)).map(lambda end: WORKLOAD[:end])
    other_settings = st.sampled_from(LITERALS).map(lambda value: f"FIT = {value}\n")
    files = st.sampled_from(FILES)
    text = data.draw(st.one_of(with_another_setting, cut_short, other_settings, files))
    file = command_folder / "mine.py"
    file.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    attack("run", "mine.py", *measuring(fake_python("sample()")))


#: Everything that may stand where a file or a folder was expected.
THINGS: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("mine"),
    "a folder": lambda path: (path / "inner").mkdir(parents=True),
    "a link to nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a device": lambda path: path.symlink_to("/dev/null"),
    "a full disk": lambda path: path.symlink_to("/dev/full"),
    "bytes": lambda path: path.write_bytes(bytes(range(256))),
    "nothing": lambda path: None,
    "an empty file": lambda path: path.write_text(""),
    "JSON": lambda path: path.write_text('{"machine_info": []}'),
    "deep JSON": lambda path: path.write_text("[" * 100_000),
}


@pytest.mark.parametrize(
    "place",
    [
        "results", "results/runs", "results/latest.md", "results/latest.json",
        "results/history.csv", "results/report.html", "results/gates", "results/parity",
    ],
)  # fmt: skip
@settings(often, max_examples=4)
@given(thing=st.sampled_from(list(THINGS)), command=st.sampled_from(["run", "history", "compare"]))
def test_odd_places_in_a_store(
    attack, fake_python, command_folder, temporary_folder, place, thing, command
):
    results = command_folder / "results"
    clear(results)
    clear(temporary_folder / "keras-bench-results")
    (command_folder / place).parent.mkdir(parents=True, exist_ok=True)
    THINGS[thing](command_folder / place)
    if command != "run":
        attack(*{"history": ("history",), "compare": ("compare", "kept", "latest")}[command])
        return
    answer = attack("run", "dense_3_5_2", *measuring(fake_python("sample()")))
    if answer.returncode in (0, 8, 9) and "no folder" not in answer.stdout + answer.stderr:
        places = (results / "runs", temporary_folder / "keras-bench-results" / "runs")
        found = [file for each in places if each.is_dir() for file in each.glob("*.json")]
        measured = "steady epoch" in answer.stdout
        assert bool(found) == measured, (place, thing, answer)


@pytest.mark.parametrize("option", ["--json", "--markdown", "--junit"])
@settings(often, max_examples=4)
@given(thing=st.sampled_from(list(THINGS)))
def test_odd_places_of_outputs(attack, command_folder: Path, option, thing):
    other = runs.save(
        run(*MEASURED.results, started_utc="2026-03-01T00:00:00Z"), command_folder / "other"
    )
    output = command_folder / "output"
    clear(output)
    THINGS[thing](output)
    kept = next((command_folder / "kept" / "runs").glob("*.json"))
    attack("compare", str(kept), str(other), f"{option}={output}", allowed=frozenset({12}))


#: What a workload, which shares the worker's process, may do to it.
WORKERS = (
    "os._exit(0)", "os._exit(3)", "os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 11)",
    "raise SystemExit", "raise KeyboardInterrupt", "1 / 0", "say('sample', {})",
    "say('sample', None)", "say('nonsense', 1); sample()",
    "os.write(reply, b'\\xff\\x00\\n'); sample()",
    "os.write(reply, b'[' * 100000 + b'\\n'); sample()", "os.close(reply)",
    "sample(float('nan'), -1.0)", "sample(claimed_seconds=float('inf'))",
    "sample(claimed_seconds=-1.0)", "sample(claimed_seconds=0.0)",
    "print('\\x1b[2J' * 99); os._exit(1)", "os.write(1, b'\\xff' * 9999); os._exit(1)",
    "say('problem', {}); os._exit(0)",
    "say('problem', dict(kind='workload', message='\\x1b[2J', traceback=''))",
    "say('epoch', dict(start_seconds=1, end_seconds=0)); sample()", "say('stage', 3); sample()",
    "say('epoch', dict(start_seconds='x', end_seconds=0)); sample()", "sample(); sample()",
    "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True); os._exit(4)",
)  # fmt: skip


@pytest.mark.parametrize("behaviour", WORKERS)
def test_hostile_workers_leave_the_others_samples(attack, fake_python, command_folder, behaviour):
    python = fake_python(f"if request['backend'] == 'torch':\n    {behaviour}\nelse:\n    sample()")
    arms = [f"--env=jax={python}", f"--env=torch={python}"]
    answer = attack("run", "dense_3_5_2", "--no-parity", "--rounds=1", *arms)
    (file,) = (command_folder / "results" / "runs").glob("*.json")
    (of_jax,) = [
        each
        for each in json.loads(file.read_text())["benchmarks"]
        if each["params"]["backend"] == "jax"
    ]
    assert len(of_jax["extra_info"]["samples"]) == 1, answer


def clear(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
    assert not os.path.lexists(path)
