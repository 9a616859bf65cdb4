"""What a user's own model needs around its file, with a fake worker."""

from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD
from fake_maker import FakeMaker
from fake_worker import asked_of

SAYS_ITS_TOKEN = """
say("problem", dict(kind="workload", message="no user " + os.environ["TOKEN"], traceback=""))
"""


@pytest.fixture
def mine(command_folder: Path) -> Path:
    file = command_folder / "mine.py"
    file.write_text(SMALL_WORKLOAD)
    return file


def with_additions(maker: FakeMaker) -> list[set[str]]:
    """Return what was asked for besides Keras and a framework, of each that has any."""
    names = ("keras", "jax", "torch", "tensorflow")
    added = [
        {each for each in recipe.requirements if not each.startswith(names)}
        for recipe in maker.made
    ]
    return [each for each in added if each]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def build(:", "error: mine.py: line 1 has a syntax error in Python 3"),
        ("def make(): ...", "error: mine.py: has no function build(); define build()"),
    ],
)
def test_the_fault_of_a_file_is_told_once_and_no_worker_starts(
    run_cli, fake_python, mine: Path, text: str, line: str
):
    mine.write_text(text)
    python = fake_python("sample()")
    answer = run_cli("run", "mine.py", f"--env=jax={python}", f"--env=torch={python}")
    assert answer.returncode == 3
    (told,) = answer.stderr.splitlines()
    assert told.startswith(line)
    assert asked_of(python) == []


def test_a_variable_reaches_workers_and_its_value_is_stored_nowhere(
    run_cli, fake_python, mine: Path, command_folder: Path
):
    good = fake_python("assert os.environ['TOKEN'] == 'secret'; sample()")
    bad = fake_python(SAYS_ITS_TOKEN)
    arguments = ("mine.py", "--no-parity", "--rounds=1", f"--env=jax={good}", f"--env=torch={bad}")
    answer = run_cli("run", *arguments, "--pass-env=TOKEN", TOKEN="secret")
    assert "no user $TOKEN; fix mine.py" in answer.stdout
    assert "jax" in (command_folder / "results" / "latest.md").read_text()
    stored = [file.read_text() for file in command_folder.rglob("*") if file.is_file()]
    assert not any("secret" in text for text in [*stored, answer.stdout, answer.stderr])


@pytest.mark.parametrize("command", ["run", "parity"])
def test_a_variable_that_cannot_be_passed_on_is_named(run_cli, mine: Path, command: str):
    answer = run_cli(command, "mine.py", "--pass-env=OF_NO_SUCH_KIND")
    assert answer.returncode == 2
    assert "OF_NO_SUCH_KIND isn't set in your shell" in answer.stderr
    answer = run_cli(command, "mine.py", "--pass-env=OMP_NUM_THREADS", OMP_NUM_THREADS="2")
    assert "OMP_NUM_THREADS belongs to the thread policy; give --threads" in answer.stderr


def test_what_the_file_and_the_command_ask_for_is_installed(run_cli, maker, mine: Path):
    mine.write_text(f"{SMALL_WORKLOAD}\nREQUIREMENTS = ['pandas<3']")
    arguments = ("mine.py", "--backend=jax", "--backend=torch", "--no-parity", "--rounds=1")
    answer = run_cli("run", *arguments, "--with=h5py")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "for jax with keras-bench's own versions and h5py, pandas<3 and Python" in answer.stdout
    assert with_additions(maker) == [{"pandas<3", "h5py"}] * 2


def test_both_sides_of_a_gate_get_the_same(run_cli, maker, mine: Path):
    mine.write_text(f"{SMALL_WORKLOAD}\nREQUIREMENTS = ['pandas<3']")
    sides = ("--baseline=keras==3.14.1", "--candidate=keras==3.15.1")
    answer = run_cli("gate", "mine.py", "--backend=jax", *sides, "--no-parity", "--budget=1")
    assert "mine.py" not in answer.stderr
    assert with_additions(maker) == [{"pandas<3"}] * 2


def test_an_environment_is_made_beforehand_with_what_is_asked_for(run_cli, maker):
    assert run_cli("environments", "--make=jax", "--with=pandas").returncode == 0
    assert with_additions(maker) == [{"pandas"}]
    assert "pandas" in run_cli("environments").stdout
    answer = run_cli("environments", "--with=pandas")
    assert answer.returncode == 2
    assert "name a backend with --make" in answer.stderr


def test_a_requirement_that_is_none_is_told_before_anything_is_made(run_cli, maker, mine: Path):
    answer = run_cli("run", "mine.py", "--with=pandas numpy")
    assert answer.returncode == 2
    assert "'--with': 'pandas numpy' is no requirement" in answer.stderr
    mine.write_text(f"{SMALL_WORKLOAD}\nREQUIREMENTS = ['pandas<<3']")
    answer = run_cli("run", "mine.py")
    assert answer.returncode == 3
    assert "error: mine.py: of REQUIREMENTS, 'pandas<<3' is no requirement" in answer.stderr
    assert maker.made == []
