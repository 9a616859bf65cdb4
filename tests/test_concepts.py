"""docs/concepts.md: its examples run, its times are those of the stored run, its links lead on."""

import json
import os
import re
import runpy
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PAGE = PROJECT / "docs" / "concepts.md"
TEXT = PAGE.read_text(encoding="utf-8")
STORED = json.loads((PROJECT / "results" / "concepts.json").read_text(encoding="utf-8"))
WRITER = runpy.run_path(str(PROJECT / "docs" / "write_concepts.py"))


def run_page(python: str, page: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(PROJECT / "tests" / "run_page.py"), str(page)],
        cwd=PROJECT,
        env={"PATH": "", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.frameworks
def test_its_examples_print_what_it_shows(pythons, tmp_path: Path):
    finished = run_page(
        pythons["jax"],
        PAGE,
        KERAS_BACKEND="jax",
        KERAS_HOME=str(tmp_path),
        PYTHONPATH=os.pathsep.join(map(str, (PROJECT, PROJECT / "models", PROJECT / "docs"))),
        # The page trains the same networks time and again: each is compiled once.
        JAX_COMPILATION_CACHE_DIR=str(tmp_path / "compiled"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    attempted = int(finished.stdout.split()[-4])
    assert attempted == len(re.findall(r"^>>> ", TEXT, re.MULTILINE))


@pytest.mark.parametrize(
    ("shown", "passes"),
    [
        ("0.333 7", True),
        ("0.334  7", True),  # one in the last digit: rounded to the other side
        ("0.335 7", False),
        ("0.333 8", False),  # a count
        ("0.333 7 9", False),
        ("3.33e-01 7", True),
        ("-0.333 7", False),
    ],
)
def test_an_output_counts_to_the_digits_that_a_page_shows(tmp_path: Path, shown, passes):
    page = tmp_path / "page.md"
    page.write_text(f"```python\n>>> one = 1\n>>> print(f'{{one / 3:.5f}}', 7)\n{shown}\n```\n")
    assert (run_page(sys.executable, page).returncode == 0) == passes


def test_its_times_are_those_of_the_stored_run():
    assert WRITER["filled"](TEXT, STORED) == TEXT
    assert set(re.findall(r"<!-- measured: ([\w ]+) -->", TEXT)) == {
        *WRITER["COMPARISONS"],
        "first epoch",
        "source",
    }


def test_its_times_are_worth_showing():
    assert STORED["complete"]
    rows = [row for table in STORED["tables"] for row in table["rows"]]
    assert min(row["processes"] for row in rows) >= 5


@pytest.mark.parametrize(
    ("factor", "said"), [(2.0, "longer"), (0.5, "shorter"), (1.0, "undecided")]
)
def test_which_takes_longer_follows_from_the_figures(factor: float, said: str):
    document = deepcopy(STORED)
    for table in document["tables"]:
        for row in table["rows"]:
            slower = factor if table["workload"] == "dense_3_5_2_adam" else 1.0
            row["process_epoch_seconds"] = [slower * seconds for seconds in (1.0, 1.01, 0.99)]
    page = WRITER["filled"](TEXT, document)
    assert re.search(rf"With Adam in place of SGD, an epoch is {said}[^;]*\.\n", page)


def test_its_links_lead_to_files():
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", prose)]
    assert len(links) > 20
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
