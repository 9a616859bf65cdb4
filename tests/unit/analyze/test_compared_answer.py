from dataclasses import replace
from datetime import timedelta

import pytest
from builders import DIFFERS, EXPLAINED, MACHINE, failure
from comparing_builders import measured_arm, measured_run_of
from history_builders import history_rows_of, started

from keras_bench.analyze.compared import compare, compare_across_machines
from keras_bench.analyze.compared_answer import conclusion, remarks, runs, versions, worth
from keras_bench.analyze.measured import recorded_environment
from keras_bench.records import UNCHECKED, Parity

CALM = (0.0500, 0.0501, 0.0499, 0.0502, 0.0498, 0.0500)
SLOW = tuple(1.3 * seconds for seconds in CALM)
HISTORY = history_rows_of([0.0, 0.01, -0.01, 0.01, -0.01, 0.0, 0.01])
NEWER = recorded_environment(
    "jax", python="3.11.7", framework="0.10.2", keras="3.16.0", numpy="2.4.6"
)


def compared(after, history=HISTORY, before=None, apart=2, **changes):
    return compare(
        measured_run_of(before or measured_arm("jax", *CALM), started_utc=started(10)),
        measured_run_of(
            *after, **{"source": "after", "started_utc": started(10 + apart)} | changes
        ),
        history,
        0.05,
    )  # fmt: skip


def said(comparison):
    return [conclusion(pair, comparison).sentence for pair in comparison.pairs]


def test_a_verdict_is_said_with_the_interval_it_comes_from():
    found = compared([measured_arm("jax", *SLOW)])
    (pair,) = found.pairs
    assert said(found) == [
        "regressed: net on jax takes 1.30 times as long"
        f" ({pair.lasting.low:.2f} to {pair.lasting.high:.2f}), which is more than runs differ by"
        " themselves"
    ]
    (remark,) = remarks(pair)
    assert remark.startswith("runs of it differ by 0.9% with nothing changed")
    assert "6 degrees of freedom" in remark


def test_none_is_said_with_the_threshold():
    (sentence,) = said(compared([measured_arm("jax", *CALM)]))
    assert sentence.startswith("unchanged: net on jax takes 1.00 times as long (0.9")
    assert sentence.endswith("), less than 5% either way")


def test_what_is_open_is_said_with_what_would_have_shown():
    loud = history_rows_of([0.0, 0.1, -0.1, 0.1, -0.1])
    found = compared([measured_arm("jax", *CALM)], loud)
    told = "undecided: net on jax takes 1.00 times as long (0.68 to 1.48)"
    assert said(found)[0].startswith(told)
    assert said(found)[0].endswith("would have shown")
    assert worth(found) == (
        "keras-bench gate measures both in the same rounds and sees smaller changes."
    )


def test_without_a_history_it_is_said_what_tells():
    found = compared([measured_arm("jax", *SLOW)], HISTORY[:2])
    (sentence,) = said(found)
    assert sentence.startswith("undecided: net on jax takes 1.30")
    assert sentence.endswith(
        "by these two runs alone; how far its runs differ with nothing changed isn't known"
        " (repeated runs in the history: 1 of at least 4)"
    )
    assert remarks(found.pairs[0]) == []
    assert "from 5 runs of the same versions on" in worth(found)
    assert "keras-bench gate measures both in the same rounds, without a history" in worth(found)


def test_a_history_that_is_too_short_says_how_much():
    (sentence,) = said(compared([measured_arm("jax", *SLOW)], apart=600))
    assert sentence.endswith(
        "they lie 4.17 days apart, and the history tells how runs differ within 60 minutes"
    )
    assert "from 5 runs" in worth(compared([measured_arm("jax", *SLOW)], apart=600))


@pytest.mark.parametrize(
    ("arm", "sentence"),
    [
        (measured_arm("jax"), "missing: net on jax wasn't measured in the candidate"),
        (
            measured_arm("jax", *CALM, failure=failure()),
            f"failed: net on jax in the candidate: {failure().message}",
        ),
        (
            measured_arm("jax", *CALM, parity=DIFFERS),
            "parity failed: net on jax isn't the same training on both sides: it parts from the"
            " reference",
        ),
    ],
    ids=["missing", "failed", "parity"],
)
def test_an_arm_that_does_not_count_says_why(arm, sentence):
    assert said(compared([arm])) == [sentence]


def test_what_is_in_one_run_alone_says_in_which():
    net = measured_arm("jax", *CALM)
    before = measured_run_of(net, measured_arm("torch", *CALM))
    after = measured_run_of(net, measured_arm("tensorflow", *CALM), started_utc=started(1))
    assert said(compare(before, after, HISTORY, 0.05))[1:] == [
        "missing: net on torch is in the baseline alone",
        "missing: net on tensorflow is in the candidate alone",
    ]


@pytest.mark.parametrize(
    ("arm", "changes", "end"),
    [
        (measured_arm("jax", *SLOW, examples=612), {}, "its data differs: 306 and 612 examples"),
        (
            measured_arm("jax", *SLOW, method="slices"),
            {},
            "they were measured in two ways, without slices and in slices, where an epoch takes"
            " longer; measure the baseline again",
        ),
        (
            measured_arm("jax", *SLOW[:2]),
            {},
            "3 processes on each side are the least, and there are 6 and 2",
        ),
        (
            measured_arm("jax", *SLOW),
            {"complete": False},
            "the candidate was interrupted; measure again",
        ),
    ],
    ids=["examples", "method", "processes", "incomplete"],
)
def test_a_doubt_is_said(arm, changes, end):
    found = compared([arm], **changes)
    assert said(found)[0].endswith(f"; {end}")
    assert worth(found) == ""


def test_one_process_has_no_ratio_to_be_said():
    (sentence,) = said(compared([measured_arm("jax", 0.1)]))
    assert sentence == (
        "undecided: net on jax has no ratio; 3 processes on each side are the least, and there are"
        " 6 and 1"
    )


def test_parity_that_is_odd_is_said_beside_the_verdict():
    found = compared([measured_arm("jax", *CALM, parity=EXPLAINED)])
    assert remarks(found.pairs[0])[1:] == ["parity: it differs for known reasons"]


def test_a_check_that_nobody_asked_for_is_not_missed():
    found = compared([measured_arm("jax", *CALM, parity=UNCHECKED)])
    assert len(remarks(found.pairs[0])) == 1
    broken = Parity("unchecked", "torch couldn't be checked")
    found = compared([measured_arm("jax", *CALM, parity=broken)])
    assert remarks(found.pairs[0])[1:] == ["parity: torch couldn't be checked"]


def test_the_versions_that_differ_are_said():
    assert versions(compared([measured_arm("jax", *CALM)])) == "the same versions on both sides"
    newer = measured_arm("jax", *CALM, environment=NEWER)
    assert versions(compared([newer])) == "keras 3.15.1 → 3.16.0"


def test_versions_that_differ_for_some_backends_name_them():
    arms = [measured_arm(backend, *CALM) for backend in ("jax", "torch", "tensorflow")]
    after = [replace(arms[0], environment=NEWER), *arms[1:]]
    found = compare(
        measured_run_of(*arms), measured_run_of(*after, started_utc=started(1)), HISTORY, 0.05
    )
    assert versions(found) == (
        "jax: keras 3.15.1 → 3.16.0; torch and tensorflow: the same versions on both sides"
    )


def test_the_two_runs_are_named_with_their_times():
    assert runs(compared([measured_arm("jax", *CALM)])) == (
        "baseline: before (2026-01-01T01:40:00Z), candidate: after (2026-01-01T02:00:00Z)"
    )


def test_across_machines_it_is_said_what_the_ratios_are_worth():
    before = measured_run_of(measured_arm("jax", *CALM), measured_arm("torch", *SLOW))
    other = replace(MACHINE, cpu="Another CPU", fingerprint="ffffffff")
    after = measured_run_of(
        measured_arm("jax", *SLOW), measured_arm("torch", *SLOW), machine=other, source="after"
    )
    found = compare_across_machines(before, after, 0.05)
    jax, torch = said(found)
    assert jax.startswith("undecided: net on jax takes 1.30")
    assert jax.endswith("the machines differ; jax was the fastest")
    assert "; the machines differ; against jax, the fastest, 0.769 times what it took (0.7" in torch
    assert worth(found).startswith(
        "No verdict: cpu Some CPU → Another CPU. These ratios compare the machines as much as the"
        " software."
    )


def test_a_time_is_written_in_the_largest_unit_that_fits():
    for minutes, written in ((1, "60 seconds"), (30, "30 minutes"), (180, "3 hours")):
        found = compared([measured_arm("jax", *SLOW)])
        (pair,) = found.pairs
        reach = timedelta(minutes=minutes)
        short = replace(pair, doubt="reach", between=replace(pair.between, reach=reach))
        assert conclusion(short, found).sentence.endswith(f"within {written}")
