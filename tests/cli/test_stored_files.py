"""Stored files are other people's data: whatever one holds, it is shown or refused in a line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import AGREES, arm, failure, gate, result, run, sample, side
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.pairs import pairs
from keras_bench.store import gates, history, latest, runs

#: What is put in the place of any part of a document, as JSON has it.
ODD = st.sampled_from(
    [
        None, True, 0, -1, 1, 2**70, 0.0, -0.5, 1e308, float("nan"), float("inf"), "", "x",
        "x" * 5000, "2026-01-01T00:00:00Z", "fit:0", "²", "a\nb", "\x1b[2J", [], {}, [[]], [None],
        [1e308, -1.0], {"a": 1}, "interrupted", "jax",
    ]
)  # fmt: skip

#: What nobody foresaw.
FAULT = "this is a fault of the suite"

#: Every call takes a moment, and all tests together few minutes.
often = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where in a document there is something, the document itself too."""
    yield path
    inner = document.items() if isinstance(document, dict) else ()
    inner = enumerate(document[:3]) if isinstance(document, list) else inner
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any, is_removed: bool) -> Any:
    """Return a copy of a document with another value in a place, or with none."""
    copy = json.loads(json.dumps(document))
    if not path:
        return value
    *way, last = path
    place = copy
    for key in way:
        place = place[key]
    if is_removed:
        del place[last]
    else:
        place[last] = value
    return copy


MEASURED = run(
    result("jax", sample(0.1, epochs=4), sample(0.2, epochs=4, round=2), parity=AGREES),
    result("torch", sample(0.4, epochs=4), failure=failure()),
    result("jax", 0.3, workload="other net"),
)
GATED = gate(side("baseline", 0.1, 0.2, 0.3), side("candidate", 0.1, 0.2, 0.3))


@pytest.fixture(scope="module")
def documents(tmp_path_factory) -> dict[str, Any]:
    """What commands store of a small run and a small gate."""
    folder = tmp_path_factory.mktemp("stored")
    file = runs.save(MEASURED, folder)
    latest.save(MEASURED, tables(MEASURED), folder)
    gated = gates.gate_file(GATED, folder)
    gates.save(GATED, pairs(GATED), gated)
    found = {"run": file, "latest": folder / "latest.json", "gate": gated}
    return {name: json.loads(each.read_text()) for name, each in found.items()}


def told(run_cli, *arguments: str) -> int:
    """Return the exit code of a command that ends as commands do."""
    answer = run_cli(*arguments)
    said = answer.stdout + answer.stderr
    assert FAULT not in said, said
    assert "Traceback" not in said, said
    assert not re.search(r"\(nan|\bnan (to|ms|s|times)\b", said), said
    # That of an arm that failed, too, which the file tells.
    assert answer.returncode in (0, *range(2, 256)), said
    if answer.returncode == 10:
        assert answer.stderr.count("error: ") == 1
    return answer.returncode


@pytest.mark.parametrize(
    ("kind", "command"),
    [("run", "show"), ("run", "compare"), ("latest", "compare"), ("gate", "report")],
)
@often
@given(data=st.data())
def test_a_file_that_somebody_has_changed(
    run_cli, documents, tmp_path: Path, kind: str, command: str, data
):
    document = documents[kind]
    path = data.draw(st.sampled_from(list(places(document))))
    odd = changed(document, path, data.draw(ODD), bool(path) and data.draw(st.booleans()))
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(documents["run"]))
    bad.write_text(json.dumps(odd))
    if command == "compare":
        # A newer one: of equal times they would be the same run.
        told(run_cli, "compare", str(good), str(bad))
    elif command == "report":
        told(run_cli, "report", str(bad), "-o", str(tmp_path / "page.html"))
    else:
        told(run_cli, "show", str(bad))


@pytest.mark.parametrize("command", [("history",), ("compare", "a.json", "b.json")])
@often
@given(
    line=st.integers(0, 3), field=st.integers(0, 40), value=ODD, ending=st.sampled_from("\n\r\0")
)
def test_a_history_that_somebody_has_changed(
    run_cli, tmp_path: Path, command, line: int, field: int, value, ending: str
):
    folder = tmp_path / "cwd"
    results = folder / "results"
    for name, started in (("a.json", "2026-01-01T00:00:00Z"), ("b.json", "2026-01-02T00:00:00Z")):
        known = run(*MEASURED.results, started_utc=started)
        (folder / name).write_text(json.dumps(runs.to_document(known)))
        history.append(
            known.results,
            started_utc=started,
            machine=known.machine,
            kind="run",
            results_folder=results,
        )
    file = results / "history.csv"
    lines = [each.split(",") for each in file.read_text().splitlines()]
    chosen = lines[line % len(lines)]
    chosen[field % len(chosen)] = str(value)
    file.write_text(ending.join(",".join(each) for each in lines) + ending)
    told(run_cli, *command)
    file.unlink()


def test_an_empty_history_is_told(run_cli, tmp_path: Path):
    file = tmp_path / "cwd" / "results" / "history.csv"
    file.parent.mkdir(parents=True)
    file.write_text("")
    answer = run_cli("history")
    assert (answer.returncode, answer.stdout) == (10, "")
    assert "history.csv: holds no row; measure" in answer.stderr


def test_what_is_stored_is_shown(run_cli, documents, tmp_path: Path):
    for name, document in documents.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    for command in (
        ("show", "run.json"), ("report", "gate.json", "-o", "page.html"), ("report", "run.json"),
    ):  # fmt: skip
        arguments = [str(tmp_path / each) if "." in each else each for each in command]
        assert told(run_cli, *arguments) == 0
    assert arm() == MEASURED.results[0].arm
