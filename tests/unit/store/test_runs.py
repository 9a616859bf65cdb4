import json
import subprocess
import sys
from dataclasses import replace

import pytest
from builders import (
    AGREES,
    CALLS_PER_BLOCK,
    DIFFERS,
    EXPLAINED,
    arm,
    failure,
    predicted,
    result,
    run,
    sample,
)

from keras_bench.errors import ResultsBroken, ResultsUnwritable
from keras_bench.records import SCHEMA_VERSION, UNCHECKED, ArmResult, Settings, Surroundings
from keras_bench.store.runs import load, run_file, save, to_document

WHOLE = run(
    result(
        "tensorflow",
        sample(0.24, epochs=2, metrics={"accuracy": (0.5, 0.75), "val_loss": (None, 0.5)}),
        sample(0.25, round=2),
    ),
    result("jax", sample(0.057, epochs=1), 0.1 + 0.2, workload="other net"),
    rounds=2,
)
WITH_FAILURES = run(
    result("jax", 0.1),
    result("torch", 0.4, failure=failure()),
    result("tensorflow", failure=failure()),
    stopped="rounds",
    settings=Settings(rounds=1, budget_seconds=None, seed=7),
)
INCOMPLETE = replace(
    run(result("jax", 0.1), result("torch")), complete=False, stopped="interrupted"
)
BARE = run(
    ArmResult(
        arm("jax", threads="single", loop="other"),
        (
            sample(
                intra_op_threads=None,
                inter_op_threads=None,
                os_threads=None,
                cpus=(),
            ),
        ),
    )
)
CHECKED = run(
    result("jax", 0.1, parity=DIFFERS),
    result("torch", 0.4, failure=failure(), parity=EXPLAINED),
    result("tensorflow", parity=AGREES),
    result("jax", 0.1, workload="other net", parity=AGREES),
    result("torch", 0.1, workload="other net"),
    settings=Settings(parity=False),
)
SEEN = run(
    result(
        "jax", 0.1, parity=replace(AGREES, running_losses=(0.5, 0.1), reference_losses=(0.5, 1e-9))
    ),
    surroundings=Surroundings(
        2, 1.5, 12.5, None, "performance", True, ("OMP_NUM_THREADS",), ("gdb",),
        (("an interpreter", ("jax", "torch")),),
        (("an interpreter", "keras", ("keras-nightly", "keras")),),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "the_run",
    [WHOLE, WITH_FAILURES, INCOMPLETE, BARE, CHECKED, SEEN],
    ids=["whole", "with failures", "incomplete", "bare", "checked", "seen"],
)
def test_a_run_comes_back_as_it_was_saved(tmp_path, the_run):
    assert load(save(the_run, tmp_path)) == the_run


def test_a_run_from_before_parity_was_checked_is_unchecked(tmp_path):
    document = to_document(CHECKED)
    rest = document["machine_info"]["keras_bench"]
    del rest["settings"]["parity"]
    for each in rest["results"]:
        del each["parity"]
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document))
    old = load(file)
    assert [each.parity for each in old.results] == [UNCHECKED] * 5
    assert [each.samples for each in old.results] == [each.samples for each in CHECKED.results]


def test_in_a_run_from_before_all_metrics_were_kept_the_accuracy_is_one(tmp_path):
    document = to_document(WHOLE)
    for benchmark in document["benchmarks"]:
        for each in benchmark["extra_info"]["samples"]:
            each["accuracies"] = each.pop("metrics").get("accuracy", ())
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document))
    first, other = load(file).results[0].samples
    assert (first.metrics, other.metrics) == ({"accuracy": (0.5, 0.75)}, {})


def test_a_run_from_before_losses_and_surroundings_were_kept_has_none(tmp_path):
    document = to_document(SEEN)
    rest = document["machine_info"]["keras_bench"]
    del rest["surroundings"]
    for each in rest["results"]:
        del each["parity"]["running_losses"], each["parity"]["reference_losses"]
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document))
    old = load(file)
    assert old.surroundings is None
    assert old.results[0].parity == AGREES


@pytest.mark.parametrize("parity", ["agrees", None, {}, {"outcome": "agrees"}], ids=repr)
def test_parity_of_another_kind_is_no_run(tmp_path, parity):
    document = to_document(CHECKED)
    document["machine_info"]["keras_bench"]["results"][0]["parity"] = parity
    assert "isn't a run of keras-bench" in broken(tmp_path, document)


def test_a_run_is_named_after_its_time_and_machine(tmp_path):
    assert save(WHOLE, tmp_path) == run_file(WHOLE, tmp_path)
    assert run_file(WHOLE, tmp_path) == tmp_path / "runs" / "20260102T030405Z-0123abcd.json"


def test_saving_again_replaces_the_file(tmp_path):
    save(INCOMPLETE, tmp_path)
    file = save(WHOLE, tmp_path)
    assert load(file) == WHOLE
    assert list(file.parent.iterdir()) == [file]


def test_a_run_that_cannot_be_saved_is_an_error_of_its_own(tmp_path):
    (tmp_path / "runs").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        save(WHOLE, tmp_path)


def test_only_arms_with_samples_are_benchmarks_and_only_steady_epochs_their_data():
    benchmarks = to_document(WITH_FAILURES)["benchmarks"]
    assert [each["name"] for each in benchmarks] == ["net[jax]", "net[torch]"]
    assert benchmarks[0]["stats"]["data"] == [0.1] * 8
    assert benchmarks[0]["stats"]["rounds"] == 8
    assert benchmarks[0]["stats"]["mean"] == pytest.approx(0.1)


def test_a_file_names_no_folder_of_the_machine_and_is_strict_json(tmp_path):
    text = save(WHOLE, tmp_path).read_text()
    assert str(tmp_path) not in text
    assert str(sys.prefix) not in text

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)


def broken(tmp_path, content):
    file = tmp_path / "broken.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ResultsBroken) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith(
        "; name a file of results/runs/, or measure again with `keras-bench run`"
    )
    assert "\n" not in message
    return message


def test_a_missing_file_is_an_error_of_one_line(tmp_path):
    with pytest.raises(ResultsBroken, match=r"can't be read \(no such file or directory\)") as it:
        load(tmp_path / "none.json")
    assert "\n" not in str(it.value)


def test_a_folder_is_no_run(tmp_path):
    with pytest.raises(ResultsBroken, match="can't be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"keras-bench", b"\xff\xfe\x00", b"\x00" * 4096], ids=repr
)
def test_a_file_that_is_not_json_is_broken(tmp_path, content):
    assert "isn't JSON" in broken(tmp_path, content)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_broken(tmp_path, share):
    content = save(WHOLE, tmp_path).read_bytes()
    assert "isn't JSON" in broken(tmp_path, content[: int(share * len(content))])


@pytest.mark.parametrize(
    "document",
    [
        None,
        7,
        "a text",
        [],
        {},
        {"machine_info": []},
        {"machine_info": {"node": "another"}, "benchmarks": [], "version": "5.0.0"},
        {"machine_info": {"keras_bench": None}, "benchmarks": []},
        {"machine_info": {"keras_bench": {"schema_version": SCHEMA_VERSION}}, "benchmarks": []},
    ],
    ids=repr,
)
def test_json_of_another_kind_is_no_run(tmp_path, document):
    assert "isn't a run of keras-bench" in broken(tmp_path, document)


def test_another_schema_version_is_named(tmp_path):
    document = to_document(WHOLE)
    document["machine_info"]["keras_bench"]["schema_version"] = SCHEMA_VERSION + 1
    message = broken(tmp_path, document)
    assert f"schema version {SCHEMA_VERSION + 1}, and this is {SCHEMA_VERSION}" in message


def test_a_figure_of_the_wrong_type_is_named_with_its_place(tmp_path):
    document = to_document(WHOLE)
    document["benchmarks"][0]["extra_info"]["samples"][0]["examples"] = "many"
    message = broken(tmp_path, document)
    assert "Expected `int`, got `str`" in message
    assert ".examples" in message


def test_a_benchmark_without_its_samples_is_broken(tmp_path):
    document = to_document(WHOLE)
    del document["benchmarks"][0]["extra_info"]["samples"]
    assert "isn't a run of keras-bench" in broken(tmp_path, document)


def test_pytest_benchmark_compares_two_saved_runs(tmp_path):
    earlier = save(WITH_FAILURES, tmp_path / "earlier")
    later = save(WHOLE, tmp_path / "later")
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", str(earlier), str(later)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert compared.returncode == 0, compared.stderr
    names = {"net[jax]", "net[torch]", "net[tensorflow]", "other net[jax]"}
    assert {name for name in names if f"\n{name} (" in compared.stdout} == names


def test_a_prediction_comes_back_whole_and_under_a_name_of_its_own(tmp_path):
    known = run(predicted("openvino", 0.001, 0.002))
    file = save(known, tmp_path)
    assert load(file) == known
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    assert benchmark["name"] == "net(batch_size=32)[openvino, predict]"
    assert benchmark["params"]["task"] == "predict"
    assert benchmark["stats"]["iterations"] == CALLS_PER_BLOCK
