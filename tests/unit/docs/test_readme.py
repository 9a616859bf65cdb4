"""The README's figures and names are those of the project."""

import json
import re

import msgspec
import pytest
from click.testing import CliRunner
from project import PROJECT

from keras_bench import errors
from keras_bench.analyze.answer import answer
from keras_bench.analyze.calibration import Capability
from keras_bench.analyze.comparison import tables
from keras_bench.analyze.sweep import sweep
from keras_bench.cli import cli
from keras_bench.errors import BenchError
from keras_bench.measure.workloads import template
from keras_bench.records import Calibration
from keras_bench.report.calibration import markdown as describe_calibration
from keras_bench.report.columns import record
from keras_bench.report.markdown import document
from keras_bench.report.sweep import markdown as describe_sweep
from keras_bench.store.gates import load as load_gate
from keras_bench.store.runs import load

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_run_that_it_names():
    (name,) = re.findall(r"results/runs/[\w-]+\.json", README)
    run = load(PROJECT / name)
    page = document(run, tables(run)).splitlines()
    shown = re.findall(r"^\| (?:jax|torch|tensorflow) .*$", README, re.MULTILINE)
    assert len(shown) == 6
    assert set(shown) <= set(page)
    assert all(answer(table) in README for table in tables(run))


def test_its_example_of_a_fault_is_the_recorded_one():
    document = json.loads((PROJECT / "results" / "parity_layer_off.json").read_text())
    (workload,) = document["workloads"]
    assert workload["backends"]
    assert all(f"- {backend['sentence']}\n" in README for backend in workload["backends"])


def test_its_overhead_is_the_recorded_one():
    assert (PROJECT / "results" / "harness_overhead.md").read_text().strip() in README


def test_it_lists_every_exit_code():
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, BenchError)
    }
    listed = set(map(int, re.findall(r"^\| (\d+) \|", README, re.MULTILINE)))
    assert listed == codes | {0}


def test_it_lists_every_option_of_run():
    offered = set(re.findall(r"--[a-z]+", CliRunner().invoke(cli, ["run", "--help"]).output))
    assert offered - {"--help"} <= set(re.findall(r"--[a-z]+", README))


def test_every_column_of_the_tables_is_explained():
    explained = (PROJECT / "results" / "README.md").read_text(encoding="utf-8")
    (name,) = re.findall(r"results/runs/[\w-]+\.json", README)
    row = tables(load(PROJECT / name))[0].rows[0]
    columns = {re.sub("_(low|high)$", "", column) for column in record(row, complete=True)}
    assert {column for column in columns if f"`{column}`" not in explained} == set()


def test_its_example_of_a_workload_is_the_one_that_is_written_for_users():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert code == template().read_text(encoding="utf-8")


def test_the_page_on_parity_says_what_the_stored_verdicts_say():
    page = (PROJECT / "docs" / "parity.md").read_text(encoding="utf-8")
    for name in ("parity_float64", "parity_repeated_tokens"):
        document = json.loads((PROJECT / "results" / f"{name}.json").read_text())
        for workload in document["workloads"]:
            for backend in workload["backends"]:
                assert f"- {backend['sentence']}\n" in page
    float32 = json.loads((PROJECT / "results" / "parity_float32.json").read_text())
    outcomes = {
        backend["outcome"] for workload in float32["workloads"] for backend in workload["backends"]
    }
    assert outcomes == {"agrees"}


def test_the_page_on_parity_says_what_became_of_the_zoo():
    page = (PROJECT / "docs" / "parity.md").read_text(encoding="utf-8")
    document = json.loads((PROJECT / "results" / "parity_zoo.json").read_text())
    rows = [
        (each["workload"], *(backend["outcome"] for backend in each["backends"]))
        for each in document["workloads"]
    ]
    table = "\n".join(f"| `{name}` | {' | '.join(outcomes)} |" for name, *outcomes in rows)
    assert f"{table}\n\n" in page
    kept = {workload["workload"] for workload in document["workloads"]}
    float32 = json.loads((PROJECT / "results" / "parity_float32.json").read_text())
    kept |= {workload["workload"] for workload in float32["workloads"]}
    tagged = {
        file.stem for file in (PROJECT / "models").glob("*.py") if "TAGS =" in file.read_text()
    }
    assert kept == tagged


@pytest.mark.parametrize(
    "command",
    ["parity", "gate", "compare", "versions", "calibrate", "explain", "history", "report"],
)
def test_its_options_are_those_of_the_command(command: str):
    section = README.partition(f"| option of `keras-bench {command}`")[2].partition("\n\n")[0]
    answer = CliRunner().invoke(cli, [command, "--help"]).output
    offered = set(re.findall(r"--[a-z][a-z-]+", answer))
    assert offered - {"--help"} == set(re.findall(r"--[a-z][a-z-]+", section))


def test_its_options_are_those_of_the_pytest_plugin(pytestconfig):
    section = README.partition("| option of `pytest`")[2].partition("\n\n")[0]
    offered = {
        f"--{name.replace('_', '-')}"
        for name in vars(pytestconfig.option)
        if name.startswith("keras_bench")
    }
    assert offered == set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))


def test_it_names_every_command():
    named = set(re.findall(r"^\| `keras-bench (\w+)", README, re.MULTILINE))
    assert named >= set(cli.commands) - {"parity"}


def test_the_page_on_the_gate_says_what_the_stored_calibrations_say():
    page = (PROJECT / "docs" / "gate.md").read_text(encoding="utf-8")
    files = sorted((PROJECT / "results" / "calibration").glob("*.json"))
    assert len(files) == 3
    for file in files:
        document = json.loads(file.read_text())
        calibration = msgspec.convert(document["calibration"], Calibration)
        found = msgspec.convert(document["capability"], Capability)
        assert describe_calibration(calibration, found, document["threshold"]).strip() in page


def test_the_page_on_releases_says_what_the_stored_sweep_says():
    page = (PROJECT / "docs" / "keras-releases.md").read_text(encoding="utf-8")
    (file,) = (PROJECT / "results" / "gates").glob("*.json")
    gate = load_gate(file)
    table = describe_sweep(gate, sweep(gate))
    assert table in page
    for ratio, low, high in re.findall(r"\((\d\.\d+), (\d\.\d+) to\s+(\d\.\d+)\)", page):
        assert f"{ratio} ({low} to {high})" in table
