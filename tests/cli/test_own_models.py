"""What a user's own model needs around its file, with a fake worker."""

from pathlib import Path

import pytest
from builders import SMALL_WORKLOAD
from fake_worker import asked_of

SAYS_ITS_TOKEN = """
say("problem", dict(kind="workload", message="no user " + os.environ["TOKEN"], traceback=""))
"""


@pytest.fixture
def mine(command_folder: Path) -> Path:
    file = command_folder / "mine.py"
    file.write_text(SMALL_WORKLOAD)
    return file


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
