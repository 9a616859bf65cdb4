import re

import pytest
from builders import (
    AGREES,
    DIFFERS,
    ENVIRONMENT,
    EXPLAINED,
    arm,
    failed_row,
    result,
    row,
    run,
    table,
    unmeasured_row,
)
from builders import (
    UNABLE as UNABLE_ARM,
)

from keras_bench.analyze.comparison import Row, tables
from keras_bench.analyze.stats import Estimate
from keras_bench.records import UNCHECKED, Environment, Parity
from keras_bench.report.columns import (
    DETAILS,
    SPEED,
    details,
    notes,
    record,
    remarks,
    speed,
    text_table,
    versions,
)

WIDE = Estimate(4.20, 4.00, 4.40)


def by_title(the_row, columns):
    the_table = table(the_row)
    columns = columns(the_table) if callable(columns) else columns
    (texts,) = text_table(the_table, columns).rows
    return dict(zip(text_table(the_table, columns).titles, texts, strict=True))


def test_speed_cells_show_centre_interval_and_counts():
    assert by_title(row("tensorflow", WIDE), SPEED) == {
        "backend": "tensorflow",
        "parity": "ok",
        "epoch, ms": "57.1 (55.5 to 58.7)",
        "ratio to fastest": "4.2 (4.0 to 4.4)",
        "examples/s": "36,780",
        "first epoch, s": "1.23",
        "n": "8 (112)",
    }


def test_the_fastest_has_the_ratio_one():
    assert by_title(row("jax"), SPEED)["ratio to fastest"] == "1"


def test_one_process_is_shown_without_an_interval_and_a_ratio():
    single = row("torch", None, Estimate(0.0571), processes=1, epochs=18, is_fastest=False)
    texts = by_title(single, SPEED)
    assert texts["epoch, ms"] == "57.1"
    assert texts["ratio to fastest"] == "unknown"
    assert texts["n"] == "1 (18)"


def test_detail_cells_show_what_explains_the_speed():
    assert by_title(row("jax"), details) == {
        "backend": "jax",
        "parity": "ok",
        "import, s": "2.35",
        "build, s": "0.456",
        "CPU per epoch, ms": "83.3",
        "peak memory, MB": "385",
        "loss": "0.6543",
        "accuracy": "0.7000",
        "after epoch": "20",
        "processes": "8",
        "epochs": "112",
        "jit_compile": "True",
        "threads": "within auto, all 12",
        "CPUs": "0,1",
    }


def test_what_the_framework_or_the_system_does_not_tell_is_no_number():
    texts = by_title(
        row(
            "torch",
            intra_op_threads=None,
            inter_op_threads=None,
            os_threads=None,
            cpus=(),
        ),
        DETAILS,
    )
    assert texts["threads"] == "unknown"
    assert texts["CPUs"] == "any"


def test_every_metric_of_any_backend_is_a_column_after_the_loss():
    known = table(
        row("jax", metrics={"accuracy": 0.0, "val_loss": 0.25}), row("torch", WIDE, metrics={})
    )
    shown = text_table(known, details(known))
    place = shown.titles.index("loss") + 1
    assert shown.titles[place : place + 2] == ["accuracy", "val_loss"]
    assert [texts[place : place + 2] for texts in shown.rows] == [["0", "0.2500"], ["", ""]]
    records = [record(each, complete=True) for each in known.rows]
    assert [each["accuracy"] for each in records] == [0.0, None]
    assert records[0]["metric_val_loss"] == 0.25


@pytest.mark.parametrize("columns", [SPEED, DETAILS])
def test_a_failed_row_says_so_and_is_as_long_as_the_others(columns):
    measured, failed = text_table(table(row("jax"), failed_row("torch")), columns).rows
    assert failed[:3] == ["torch", "ok", "failed"]
    assert set(failed[3:]) == {""}
    assert (
        len(failed)
        == len(measured)
        == len(text_table(table(row("jax")), columns).titles)
        == len([head.numeric for head in text_table(table(row("jax")), columns).heads])
    )


def test_a_row_whose_turn_has_not_come_is_not_called_failed():
    ((_, _, state, *rest),) = text_table(table(unmeasured_row("torch")), SPEED).rows
    assert (state, set(rest)) == ("not measured", {""})


def test_a_row_that_failed_later_keeps_its_figures():
    texts = by_title(row("torch", WIDE, failed="died later"), SPEED)
    assert texts["backend"] == "torch (failed later)"
    assert texts["epoch, ms"] == "57.1 (55.5 to 58.7)"


UNABLE = Row(arm("torch"), None, "not on torch: it needs jax; look", UNCHECKED, unsupported=True)


def test_a_backend_that_a_workload_is_not_for_is_noted_and_is_no_failure():
    assert by_title(UNABLE, SPEED)["epoch, ms"] == "unsupported"
    assert notes(table(row("jax"), UNABLE)) == ["not on torch: it needs jax; look"]
    assert remarks(table(row("jax"), UNABLE)) == []
    assert record(UNABLE, complete=True)["unsupported"] is True
    assert notes(table(row("jax"), failed_row("torch"))) == []


def test_random_data_are_noted():
    made_up = row("jax", random_data="1000 examples of random data")
    expected = ["data: 1000 examples of random data, for the workload has no data()"]
    assert notes(table(made_up)) == expected
    assert notes(table(row("jax"))) == []


def test_callbacks_that_keras_waits_for_are_noted():
    waiting = row("jax", waiting_callbacks=("Mine", "ModelCheckpoint"))
    assert notes(table(waiting)) == [
        "callbacks: jax waits for every batch where it could go on, because Mine, ModelCheckpoint"
        " may be called there"
    ]


def test_callbacks_that_ask_for_the_end_are_noted_once_for_backends_that_came_as_far():
    early, late = ("EarlyStopping", 3), ("EarlyStopping", 7)
    stopped = [row("jax", ending_callback=early), row("torch", ending_callback=early)]
    assert notes(table(*stopped, row("tensorflow", ending_callback=late))) == [
        "callbacks: EarlyStopping asked for an end after epoch 3 on jax, torch; the training went"
        " on, to be timed",
        "callbacks: EarlyStopping asked for an end after epoch 7 on tensorflow; the training went"
        " on, to be timed",
    ]


def test_versions_name_keras_the_framework_and_python():
    assert versions(row("jax")) == "Keras 3.15.1, jax 0.10.2, Python 3.11.7"


def test_results_from_before_distributions_were_kept_name_the_framework_by_its_own():
    assert ("tensorflow-cpu", "2.21.0") in ENVIRONMENT.packages
    assert versions(row("tensorflow")) == "Keras 3.15.1, tensorflow 2.21.0, Python 3.11.7"


def test_versions_name_an_unusual_distribution():
    nightly = Environment(
        "3.12.1",
        (("keras", "3.16.0.dev2"), ("tensorflow", "2.22.0")),
        distributions=(("keras", "keras-nightly"), ("tensorflow", "tensorflow-cpu")),
    )
    other = Row(arm("tensorflow", environment=nightly), row("tensorflow").figures, None)
    assert versions(other) == (
        "Keras 3.16.0.dev2 (keras-nightly), tensorflow 2.22.0, Python 3.12.1"
    )
    assert record(other, complete=True)["keras_version"] == "3.16.0.dev2"


def test_a_record_holds_the_bare_figures():
    the_record = record(row("torch", WIDE), complete=True)
    assert the_record == {
        "workload": "net",
        "backend": "torch",
        "threads": "default",
        "task": "train",
        "loop": "fit",
        "failure": None,
        "unsupported": False,
        "parity": "agrees",
        "parity_summary": "it agrees to rounding",
        "run_complete": True,
        "epoch_seconds": 0.0571,
        "epoch_seconds_low": 0.0555,
        "epoch_seconds_high": 0.0587,
        "ratio_to_fastest": 4.20,
        "ratio_to_fastest_low": 4.00,
        "ratio_to_fastest_high": 4.40,
        "speedup_over_fit": None,
        "speedup_over_fit_low": None,
        "speedup_over_fit_high": None,
        "slower_than_fastest": True,
        "examples_per_second": 36777.6,
        "epoch_cpu_seconds": 0.0833,
        "import_seconds": 2.345,
        "build_seconds": 0.456,
        "first_epoch_seconds": 1.234,
        "peak_rss_bytes": 385_400_000,
        "loss": 0.65432,
        "accuracy": 0.7,
        "loss_epoch": 20,
        "processes": 8,
        "epochs": 112,
        "jit_compile": True,
        "intra_op_threads": 0,
        "inter_op_threads": None,
        "os_threads": 12,
        "random_data": "",
        "cpus": "0 1",
        "python_version": ENVIRONMENT.python_version,
        "framework_version": "2.13.0",
        "keras_version": "3.15.1",
        "numpy_version": "2.4.6",
    }


def test_every_time_and_size_of_a_record_has_its_unit_and_every_interval_both_ends():
    keys = set(record(row("torch", WIDE), complete=True))
    assert not [key for key in keys if re.search(r"(time|memory|rss|speed)$", key)]
    assert {key.removesuffix("_low") for key in keys if key.endswith("_low")} == {
        key.removesuffix("_high") for key in keys if key.endswith("_high")
    }


def test_the_fastest_has_the_ratio_one_in_a_record_and_is_not_slower():
    fastest = record(row("jax"), complete=True)
    assert (fastest["ratio_to_fastest"], fastest["ratio_to_fastest_low"]) == (1.0, None)
    assert fastest["slower_than_fastest"] is None


def test_a_record_of_an_undecided_row_says_so():
    undecided = record(row("torch", Estimate(1.02, 0.97, 1.07)), complete=True)
    assert undecided["slower_than_fastest"] is None
    faster = record(row("torch", Estimate(0.5, 0.4, 0.6)), complete=True)
    assert faster["slower_than_fastest"] is False


def test_a_record_without_a_ratio_has_none():
    single = record(row("torch", is_fastest=False), complete=True)
    assert (single["ratio_to_fastest"], single["slower_than_fastest"]) == (None, None)


def test_a_failed_rows_record_has_the_same_keys_and_its_message():
    failed = record(failed_row("torch", "out of memory"), complete=False)
    assert list(failed) == list(record(row("torch"), complete=True))
    assert (failed["failure"], failed["run_complete"]) == ("out of memory", False)
    assert (failed["epoch_seconds"], failed["ratio_to_fastest"], failed["cpus"]) == (None,) * 3
    assert failed["framework_version"] == "2.13.0"


OUTCOMES = [
    (AGREES, "ok"),
    (EXPLAINED, "explained"),
    (DIFFERS, "FAILED"),
    (UNCHECKED, "unchecked"),
]


@pytest.mark.parametrize("columns", [SPEED, DETAILS])
@pytest.mark.parametrize(("parity", "text"), OUTCOMES, ids=[text for _, text in OUTCOMES])
def test_the_outcome_stands_in_every_row_of_every_table(columns, parity, text):
    rows = [
        row("jax", parity=parity),
        row("torch", WIDE, failed="died later", parity=parity),
        failed_row("tensorflow", parity=parity),
        unmeasured_row("torch", parity=parity),
    ]
    place = text_table(table(*rows), columns).titles.index("parity")
    assert [texts[place] for texts in text_table(table(*rows), columns).rows] == [text] * 4


@pytest.mark.parametrize("columns", [SPEED, DETAILS])
def test_a_backend_and_its_parity_are_words_and_stand_left_of_all_figures(columns):
    assert text_table(table(row("jax")), columns).titles[:2] == ["backend", "parity"]
    assert [head.numeric for head in text_table(table(row("jax")), columns).heads][:2] == [
        False,
        False,
    ]
    assert [head.numeric for head in text_table(table(row("jax")), columns).heads][2:] == [
        column.numeric for column in columns
    ]


def test_what_agrees_needs_no_remark():
    assert remarks(table(row("jax"), row("torch", WIDE), unmeasured_row("tensorflow"))) == []


@pytest.mark.parametrize(
    "parity", [EXPLAINED, DIFFERS, UNCHECKED], ids=lambda parity: parity.outcome
)
def test_any_other_outcome_is_remarked_with_its_summary(parity):
    expected = [f"parity: {parity.summary}"]
    assert remarks(table(row("jax"), row("torch", WIDE, parity=parity))) == expected
    assert remarks(table(row("jax"), unmeasured_row("torch", parity=parity))) == expected


def test_failures_are_remarked_before_parity():
    known = table(row("jax", parity=DIFFERS), failed_row("torch", "net on torch: died; look"))
    assert remarks(known) == [
        "torch failed: net on torch: died; look",
        "parity: it parts from the reference",
    ]


@pytest.mark.parametrize(
    ("parity", "expected"),
    [
        (EXPLAINED, ["parity: it differs for known reasons"]),
        (DIFFERS, ["parity: it parts from the reference"]),
        (UNCHECKED, []),
    ],
    ids=lambda value: getattr(value, "outcome", None),
)
def test_a_failure_says_all_of_what_it_left_unchecked_and_nothing_of_what_was_seen(
    parity, expected
):
    said = remarks(table(row("jax"), failed_row("torch", "it died", parity=parity)))
    assert said == ["torch failed: it died", *expected]


def test_a_record_tells_the_outcome_of_every_row_and_what_came_of_it():
    parity = Parity("differs", "torch parts from the reference, first here; and there")
    for the_row in (
        row("torch", WIDE, parity=parity),
        failed_row("torch", parity=parity),
        unmeasured_row("torch", parity=parity),
    ):
        the_record = record(the_row, complete=True)
        assert the_record["parity"] == "differs"
        assert the_record["parity_summary"] == parity.summary


def test_a_table_of_several_loops_tells_them_and_their_speedup():
    (known,) = tables(
        run(
            result("jax", 0.1, 0.1),
            result("jax", 0.01, 0.01, loop="fused"),
            result("jax", failure=UNABLE_ARM, loop="fit:32"),
        )
    )
    columns = speed(known)
    heads, rows = text_table(known, columns).titles, text_table(known, columns).rows
    assert heads[:3] == ["backend", "loop", "parity"]
    assert [texts[:2] for texts in rows] == [["jax", "fused"], ["jax", "fit"], ["jax", "fit:32"]]
    speedups = [texts[heads.index("speed-up")] for texts in rows]
    assert speedups == ["10.00 (10.00 to 10.00)", "", ""]
    assert (
        len([head.numeric for head in text_table(known, columns).heads])
        == len(heads)
        == len(rows[0])
        == len(rows[2])
    )
