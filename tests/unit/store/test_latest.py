import csv
import json
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from builders import AGREES, DIFFERS, failure, predicted, result, run, sample

from keras_bench.analyze.answer import answer, ending
from keras_bench.analyze.comparison import tables
from keras_bench.errors import ResultsUnwritable
from keras_bench.records import Parity
from keras_bench.report.markdown import document
from keras_bench.store import runs
from keras_bench.store.files import alone_in
from keras_bench.store.latest import from_document, save

RUN = run(
    result("jax", 0.1, 0.11, 0.12),
    result("torch", 0.4, 0.41, 0.42),
    result("tensorflow", failure=failure()),
    result("jax", sample(0.2, metrics={"accuracy": (0.5, *[0.75] * 9)}), workload="other"),
)
INTEGERS = [
    "peak_rss_bytes",
    "loss_epoch",
    "processes",
    "epochs",
    "intra_op_threads",
    "os_threads",
]


def saved(results, known=RUN):
    save(known, tables(known), results)
    return results


def test_the_csv_has_a_row_per_arm_with_the_fastest_first(tmp_path):
    frame = pd.read_csv(saved(tmp_path) / "latest.csv")
    assert list(zip(frame.workload, frame.backend, strict=True)) == [
        ("net", "jax"),
        ("net", "torch"),
        ("net", "tensorflow"),
        ("other", "jax"),
    ]


def test_the_figures_of_the_csv_are_the_tables(tmp_path):
    frame = pd.read_csv(saved(tmp_path) / "latest.csv").set_index(["workload", "backend"])
    jax, torch, _ = tables(RUN)[0].rows
    assert frame.epoch_seconds["net", "jax"] == pytest.approx(jax.figures.epoch_seconds.value)
    torch_ratio = torch.figures.ratio
    assert frame.ratio_to_fastest["net", "jax"] == 1
    assert frame.ratio_to_fastest["net", "torch"] == pytest.approx(torch_ratio.value)
    assert frame.ratio_to_fastest_low["net", "torch"] == pytest.approx(torch_ratio.low)
    assert frame.ratio_to_fastest_high["net", "torch"] == pytest.approx(torch_ratio.high)
    assert frame.accuracy["other", "jax"] == 0.75


def test_a_second_writer_waits_until_the_first_has_written_all_three(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        with alone_in(tmp_path):
            second = pool.submit(saved, tmp_path)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.2)
            assert list(tmp_path.iterdir()) == []
        second.result()
    assert len(list(tmp_path.iterdir())) == 3


def test_whole_numbers_of_the_csv_stay_whole_beside_a_failed_arm(tmp_path):
    with (saved(tmp_path) / "latest.csv").open(newline="") as file:
        measured = [row for row in csv.DictReader(file) if not row["failure"]]
    assert {row[name].isdigit() for row in measured for name in INTEGERS} == {True}
    frame = pd.read_csv(tmp_path / "latest.csv", dtype=dict.fromkeys(INTEGERS, "Int64"))
    assert frame.peak_rss_bytes.tolist()[:2] == [400_000_000] * 2
    assert frame.processes.tolist()[:2] == [3, 3]


def test_a_failed_arm_has_empty_figures_and_its_message_in_the_csv(tmp_path):
    frame = pd.read_csv(saved(tmp_path) / "latest.csv").set_index(["workload", "backend"])
    failed = frame.loc["net", "tensorflow"]
    assert failed.failure == failure().message
    assert failed[["epoch_seconds", "ratio_to_fastest", *INTEGERS]].isna().all()


def test_the_csv_of_a_run_without_any_measurement_still_has_its_rows(tmp_path):
    known = run(result("jax", failure=failure()), result("torch", failure=failure()))
    frame = pd.read_csv(saved(tmp_path, known) / "latest.csv")
    assert frame.backend.tolist() == ["jax", "torch"]


@pytest.mark.parametrize("complete", [True, False])
def test_csv_and_json_say_whether_the_run_is_complete(tmp_path, complete):
    known = run(*RUN.results, complete=complete, stopped="precise" if complete else "interrupted")
    saved(tmp_path, known)
    assert pd.read_csv(tmp_path / "latest.csv").run_complete.tolist() == [complete] * 4
    assert json.loads((tmp_path / "latest.json").read_text())["complete"] is complete


def test_the_json_holds_answers_rows_and_the_time_of_each_process(tmp_path):
    content = json.loads((saved(tmp_path) / "latest.json").read_text())
    net, other = content["tables"]
    assert (net["workload"], other["workload"]) == ("net", "other")
    assert net["answer"] == answer(tables(RUN)[0])
    assert content["ending"] == ending(RUN, tables(RUN))
    assert [row["backend"] for row in net["rows"]] == ["jax", "torch", "tensorflow"]
    assert net["rows"][0]["process_epoch_seconds"] == pytest.approx([0.1, 0.11, 0.12])
    assert net["rows"][2]["process_epoch_seconds"] is None
    assert net["rows"][2]["failure"] == failure().message


def test_the_json_points_to_the_run_it_comes_from(tmp_path):
    file = runs.save(RUN, tmp_path)
    content = json.loads((saved(tmp_path) / "latest.json").read_text())
    assert tmp_path / content["run"] == file


def test_the_markdown_is_the_document_of_the_run(tmp_path):
    assert (saved(tmp_path) / "latest.md").read_text() == document(RUN, tables(RUN))


def test_no_file_names_a_folder_of_the_machine(tmp_path):
    for file in saved(tmp_path).iterdir():
        assert str(tmp_path) not in file.read_text()


def test_a_folder_that_cannot_be_made_is_an_error_of_its_own(tmp_path):
    (tmp_path / "results").write_text("a file, where a folder should be")
    with pytest.raises(ResultsUnwritable):
        saved(tmp_path / "results")


CHECKED = run(
    result("jax", 0.1, 0.11, 0.12, parity=DIFFERS),
    result("torch", 0.4, 0.41, 0.42, parity=AGREES),
    result("tensorflow", failure=failure(), parity=Parity("explained", 'by "this", or\nthat')),
)


def test_the_csv_has_the_outcome_and_the_summary_of_every_row(tmp_path):
    with (saved(tmp_path, CHECKED) / "latest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(each["backend"], each["parity"], each["parity_summary"]) for each in rows] == [
        ("torch", "agrees", "it agrees to rounding"),
        ("jax", "differs", "it parts from the reference"),
        ("tensorflow", "explained", 'by "this", or\nthat'),
    ]


def test_the_json_has_the_outcome_and_the_summary_of_every_row(tmp_path):
    content = json.loads((saved(tmp_path, CHECKED) / "latest.json").read_text())
    ((*rows,),) = (each["rows"] for each in content["tables"])
    assert [(each["backend"], each["parity"], each["parity_summary"]) for each in rows] == [
        ("torch", "agrees", "it agrees to rounding"),
        ("jax", "differs", "it parts from the reference"),
        ("tensorflow", "explained", 'by "this", or\nthat'),
    ]
    assert content["settings"]["parity"] is True
    assert "jax learns something else" in content["tables"][0]["answer"]


def test_a_run_that_was_not_checked_says_so_in_every_row(tmp_path):
    frame = pd.read_csv(saved(tmp_path) / "latest.csv")
    assert frame.parity.tolist() == ["unchecked"] * 4
    assert frame.parity_summary.tolist() == ["it wasn't checked"] * 4


def test_the_task_is_read_back_and_a_file_without_it_is_of_a_training(tmp_path):
    file = saved(tmp_path, run(predicted("numpy", 0.001, 0.002))) / "latest.json"
    document = json.loads(file.read_text())
    assert from_document(document, "it").arms[0].task == "predict"
    del document["tables"][0]["rows"][0]["task"]
    assert from_document(document, "it").arms[0].task == "train"
