"""The figures on the pages of docs/ are those of stored results."""

import json
import math
import re

import msgspec
import order_factor
from project import PROJECT, linked_results

from keras_bench.analyze.answer import answer
from keras_bench.analyze.calibration import Capability
from keras_bench.analyze.comparison import tables
from keras_bench.analyze.sweep import sweep
from keras_bench.measure.workloads import template
from keras_bench.records import Calibration
from keras_bench.report.calibration import markdown as describe_calibration
from keras_bench.report.markdown import document as describe_run
from keras_bench.report.sweep import markdown as describe_sweep
from keras_bench.store.gates import load as load_gate
from keras_bench.store.runs import load

RESULTS = PROJECT / "results"


def page_of(name: str) -> str:
    return (PROJECT / "docs" / name).read_text(encoding="utf-8")


def result(name: str):
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def test_the_tutorial_shows_the_tables_of_the_committed_run():
    (file,) = linked_results("README.md", "runs")
    run = load(file)
    page = page_of("tutorial.md")
    shown = re.findall(r"^\| (?:jax|torch|tensorflow) .*$", page, re.MULTILINE)
    assert len(shown) == 6
    assert set(shown) <= set(describe_run(run, tables(run)).splitlines())
    assert all(f"\n{answer(table)}\n" in page for table in tables(run))


def test_the_page_on_workload_files_shows_the_one_that_is_written_for_users():
    code, *_ = re.findall(r"```python\n(.*?)```", page_of("reference/workload-files.md"), re.DOTALL)
    assert code == template().read_text(encoding="utf-8")


def test_the_page_on_measuring_shows_the_recorded_overhead():
    recorded = (RESULTS / "harness_overhead.md").read_text(encoding="utf-8").strip()
    assert recorded in page_of("explanation/measuring.md")


def test_the_page_on_slices_shows_the_recorded_waiting_of_tensorflow():
    recorded = (RESULTS / "tensorflow_waiting.md").read_text(encoding="utf-8").strip()
    assert recorded in page_of("explanation/slices.md")


def test_the_page_on_loops_shows_what_compiling_took_on_torch():
    recorded = (RESULTS / "torch_compile_seconds.md").read_text(encoding="utf-8").strip()
    assert recorded in page_of("explanation/loops.md")


def test_the_example_of_a_fault_is_the_recorded_one():
    page = page_of("explanation/parity.md")
    (workload,) = result("parity_layer_off.json")["workloads"]
    assert len(workload["backends"]) == 3
    assert all(f"- {backend['sentence']}\n" in page for backend in workload["backends"])


def test_the_page_on_parity_says_what_the_stored_verdicts_say():
    page = page_of("explanation/parity.md")
    for name in ("parity_float64", "parity_repeated_tokens"):
        document = result(f"{name}.json")
        for workload in document["workloads"]:
            for backend in workload["backends"]:
                assert f"- {backend['sentence']}\n" in page
    float32 = result("parity_float32.json")
    outcomes = {
        backend["outcome"] for workload in float32["workloads"] for backend in workload["backends"]
    }
    assert outcomes == {"agrees"}


def test_the_page_on_parity_says_what_became_of_the_zoo():
    page = page_of("explanation/parity.md")
    document = result("parity_zoo.json")
    rows = [
        (workload["workload"], *(backend["outcome"] for backend in workload["backends"]))
        for workload in document["workloads"]
    ]
    table = "\n".join(f"| `{name}` | {' | '.join(outcomes)} |" for name, *outcomes in rows)
    assert f"{table}\n\n" in page
    kept = {workload["workload"] for workload in document["workloads"]}
    float32 = result("parity_float32.json")
    kept |= {workload["workload"] for workload in float32["workloads"]}
    tagged = {
        file.stem for file in (PROJECT / "models").glob("*.py") if "TAGS =" in file.read_text()
    }
    assert kept == tagged


def test_the_page_on_the_gate_says_what_the_stored_calibrations_say():
    page = page_of("explanation/gate.md")
    files = linked_results("docs/explanation/gate.md", "calibration")
    assert len(files) == 3
    for file in files:
        document = json.loads(file.read_text())
        calibration = msgspec.convert(document["calibration"], Calibration)
        found = msgspec.convert(document["capability"], Capability)
        assert describe_calibration(calibration, found, document["threshold"]).strip() in page


def test_the_page_on_parity_says_what_the_stored_orders_say():
    arrays = order_factor.stored()
    assert order_factor.table(arrays) in page_of("explanation/parity.md")
    beyond = [order_factor.ratio(each) for each in arrays if each["beyond_general"]]
    assert beyond
    assert max(each for each in beyond if math.isfinite(each)) < 2.0


def test_the_page_on_releases_says_what_the_stored_sweep_says():
    page = page_of("explanation/keras-releases.md")
    (file,) = linked_results("docs/explanation/keras-releases.md", "gates")
    gate = load_gate(file)
    table = describe_sweep(gate, sweep(gate))
    assert table in page
    ratios = re.findall(r"\((\d\.\d+), (\d\.\d+) to\s+(\d\.\d+)\)", page)
    assert ratios
    for ratio, low, high in ratios:
        assert f"{ratio} ({low} to {high})" in table
