"""The pages on loops: their figures are those of the stored runs."""

import json
import re
import runpy

import pytest
from project import PROJECT

from keras_bench.records import BACKENDS

PAGE = (PROJECT / "docs" / "explanation" / "loops.md").read_text(encoding="utf-8")
HOW_TO = (PROJECT / "docs" / "how-to" / "train-faster.md").read_text(encoding="utf-8")
LOOPS, ZOO = (
    json.loads((PROJECT / "results" / name).read_text(encoding="utf-8"))
    for name in ("loops.json", "loops_zoo.json")
)
WRITER = runpy.run_path(str(PROJECT / "docs" / "scripts" / "write_loops.py"))


def test_its_figures_are_those_of_the_stored_runs():
    assert WRITER["filled"](PAGE, LOOPS, ZOO) == PAGE


def test_the_how_to_says_what_the_stored_run_says():
    (answers,) = (
        table["answer"] for table in LOOPS["tables"] if table["workload"] == "dense_1_16_32_2"
    )
    shown = re.findall(r"^- (On \w+, compared with fit: .*)$", HOW_TO, re.MULTILINE)
    assert len(shown) == 3
    assert all(sentence in answers for sentence in shown)


def test_every_workload_of_the_zoo_has_its_rows():
    shipped = {
        file.stem for file in (PROJECT / "models").glob("*.py") if "TAGS" in file.read_text()
    }
    told = {
        table["workload"]: {(row["backend"], row["loop"]) for row in table["rows"]}
        for table in ZOO["tables"]
    }
    wanted = {(backend, loop) for backend in BACKENDS for loop in ("fit", "fused")}
    assert {name: wanted - told.get(name, set()) for name in shipped} == {
        name: set() for name in shipped
    }


@pytest.mark.parametrize(
    ("first", "epoch", "epochs"),
    [
        (0.5, 0.01, 1),
        (1.0, 0.01, 2),  # Only its second epoch is faster.
        (1.95, 0.01, 12),  # It is 0.95 s behind, and makes up for 0.09 s an epoch.
        (1.0, 0.1, None),
    ],
)
def test_a_loop_pays_once_it_has_made_up_for_its_compiling(first, epoch, epochs):
    fit = {"first_epoch_seconds": 1.0, "epoch_seconds": 0.1}
    row = {"first_epoch_seconds": first, "epoch_seconds": epoch}
    assert WRITER["pays_from"](row, fit) == epochs
