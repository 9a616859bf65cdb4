"""docs/explanation/concepts.md: its times are those of the stored run."""

import json
import re
import runpy
from copy import deepcopy
from pathlib import Path

import pytest
from project import PROJECT
from run_page import run

PAGE = PROJECT / "docs" / "explanation" / "concepts.md"
TEXT = PAGE.read_text(encoding="utf-8")
STORED = json.loads((PROJECT / "results" / "concepts.json").read_text(encoding="utf-8"))
WRITER = runpy.run_path(str(PROJECT / "docs" / "scripts" / "write_concepts.py"))


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
    assert (run(page).failed == 0) == passes


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
