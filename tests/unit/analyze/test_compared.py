import math
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import DIFFERS, MACHINE, failure, result, run
from comparing_builders import measured_arm, measured_run_of
from history_builders import history_rows_of, started

from keras_bench.analyze.compared import (
    LEAST_PROCESSES,
    compare,
    compare_across_machines,
    differences,
)
from keras_bench.analyze.measured import measured_run
from keras_bench.analyze.stats import ratio
from keras_bench.analyze.verdict import read_off
from keras_bench.errors import MachinesDiffer, NothingMeasured
from keras_bench.records import UNCHECKED, Machine

CALM = (0.0500, 0.0501, 0.0499, 0.0502, 0.0498, 0.0500)
#: Six runs that differ by a percent, over an hour.
HISTORY = history_rows_of([0.0, 0.01, -0.01, 0.01, -0.01, 0.0, 0.01])
OTHER_MACHINE = replace(MACHINE, cpu="Another CPU", memory_gib=64, fingerprint="ffffffff")


def times(factor, processes=CALM):
    return tuple(factor * seconds for seconds in processes)


def two(factor=1.0, before=None, after=None, **changes):
    """Return two runs of one arm, the second so many times as slow, twenty minutes apart."""
    arms = measured_arm("jax", *CALM), measured_arm("jax", *times(factor))
    return (
        measured_run_of(replace(arms[0], **before or {}), started_utc=started(10)),
        measured_run_of(
            replace(arms[1], **after or {}), source="after", started_utc=started(12), **changes
        ),
    )


def only(*runs, history=HISTORY, threshold=0.05):
    (pair,) = compare(*runs, history, threshold).pairs
    return pair


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [(1.3, "regressed"), (1 / 1.3, "improved"), (1.027, "undecided")],
)
def test_a_verdict_is_read_off_the_interval_that_holds_the_noise_between_runs(factor, outcome):
    pair = only(*two(factor))
    assert (pair.outcome, pair.doubt) == (outcome, None)
    assert pair.lasting.value == pytest.approx(factor)
    assert pair.lasting.low < pair.ratio.low < pair.ratio.high < pair.lasting.high


def test_a_change_that_is_surely_below_the_threshold_is_none():
    assert only(*two(1.001), threshold=0.1).outcome == "unchanged"


def test_what_the_two_runs_alone_are_sure_of_may_be_the_machine():
    pair = only(*two(1.027), threshold=0.02)
    assert read_off(pair.ratio, 0.02) == "regressed"
    assert pair.outcome == "undecided"
    assert pair.visible_change == pytest.approx(pair.lasting.high / pair.lasting.low - 1)


@pytest.mark.parametrize(
    "history",
    [[], HISTORY[:4], [replace(row, fingerprint="another") for row in HISTORY]],
    ids=["none", "short", "of another machine"],
)
def test_without_a_history_there_is_no_verdict_however_sure_the_two_runs_are(history):
    pair = only(*two(8.0), history=history)
    assert (pair.outcome, pair.doubt, pair.lasting) == ("undecided", "history", None)
    assert pair.ratio.low > 7
    assert math.isinf(pair.visible_change)


def test_a_history_that_reaches_less_far_than_the_runs_lie_apart_tells_nothing():
    before, after = two(8.0)
    later = replace(after, started_utc=started(10 + 7))
    assert only(before, later).doubt == "reach"
    assert only(later, before).doubt == "reach"
    assert only(before, replace(after, started_utc=started(10 + 6))).outcome == "regressed"


def test_the_two_runs_themselves_tell_nothing_of_the_noise():
    before, after = two(1.3)
    own = history_rows_of([5.0, 5.3])
    own = [replace(own[0], started_utc=before.started_utc),
           replace(own[1], started_utc=after.started_utc)]  # fmt: skip
    assert only(before, after, history=[*HISTORY, *own]) == only(before, after)


@pytest.mark.parametrize("which", ["before", "after"])
@pytest.mark.parametrize(
    ("change", "outcome", "doubt"),
    [
        ({"failure": failure()}, "failed", None),
        ({"failure": failure(), "process_epoch_seconds": ()}, "failed", None),
        ({"process_epoch_seconds": ()}, "missing", None),
        ({"parity": DIFFERS}, "parity failed", None),
        ({"parity": UNCHECKED}, "regressed", None),
        ({"examples": 612}, "undecided", "examples"),
        ({"method": "slices"}, "undecided", "method"),
        (
            {"process_epoch_seconds": times(8, CALM[: LEAST_PROCESSES - 1])},
            "undecided",
            "processes",
        ),
        ({"process_epoch_seconds": (0.1,)}, "undecided", "processes"),
    ],
    ids=str,
)
def test_an_arm_that_does_not_count_has_no_verdict(which, change, outcome, doubt):
    pair = only(*two(8.0, **{which: change}))
    assert (pair.outcome, pair.doubt) == (outcome, doubt)
    assert (pair.lasting is not None) == (outcome == "regressed")


@pytest.mark.parametrize("which", [0, 1])
def test_an_incomplete_run_has_no_verdict(which):
    runs = list(two(8.0))
    runs[which] = replace(runs[which], complete=False)
    assert (only(*runs).outcome, only(*runs).doubt) == ("undecided", "incomplete")


def test_arms_of_one_run_alone_are_shown_after_those_of_both():
    net, other = measured_arm("jax", *CALM), measured_arm("torch", *CALM)
    before = measured_run_of(other, net)
    after = measured_run_of(
        replace(net, workload="new"), net, started_utc=started(1), source="after"
    )
    found = compare(before, after, HISTORY, 0.05)
    assert [(each.workload, each.backend, each.outcome) for each in found.pairs] == [
        ("net", "torch", "missing"),
        ("net", "jax", "unchanged"),
        ("new", "jax", "missing"),
    ]


def test_a_failure_of_an_arm_that_the_other_run_lacks_is_one():
    torch = measured_arm("torch", failure=failure())
    net = measured_arm("jax", *CALM)
    after = measured_run_of(net, torch, started_utc=started(1))
    found = compare(measured_run_of(net), after, HISTORY, 0.05)
    assert found.pairs[1].outcome == "failed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"machine": OTHER_MACHINE}, ("cpu Some CPU → Another CPU", "memory gib 32 → 64")),
        ({"machine": replace(MACHINE, fingerprint="ff")}, ("fingerprint 0123abcd → ff",)),
        ({"threads": "single"}, ("threads default → single",)),
    ],
    ids=["machine", "fingerprint", "threads"],
)
def test_runs_of_different_machines_or_thread_policies_are_refused(change, said):
    before, after = two(**change)
    assert differences(before, after) == said
    with pytest.raises(MachinesDiffer) as caught:
        compare(before, after, HISTORY, 0.05)
    assert str(caught.value).startswith("before and after: were measured on different machines")
    assert said[0] in str(caught.value)
    assert "--across-machines" in str(caught.value)


@pytest.mark.parametrize("how", [lambda *runs: compare(*runs, HISTORY, 0.05),
                                 lambda *runs: compare_across_machines(*runs, 0.05)])  # fmt: skip
def test_runs_without_a_common_arm_and_a_run_with_itself_are_nothing_to_compare(how):
    before, after = two(after={"workload": "other"})
    with pytest.raises(NothingMeasured, match="net on jax; other on jax"):
        how(before, after)
    with pytest.raises(NothingMeasured, match="are the same run, of 2026-01-01T01:40:00Z"):
        how(before, replace(before, source="again"))


def across(*pairs_of_levels, **changes):
    """Return the pairs of two runs of different machines, of backends with these factors."""
    backends = ("jax", "torch", "tensorflow")
    before = [
        measured_arm(backend, *times(factor))
        for backend, (factor, _) in zip(backends, pairs_of_levels, strict=False)
    ]
    after = [
        measured_arm(backend, *times(factor), **changes)
        for backend, (_, factor) in zip(backends, pairs_of_levels, strict=False)
    ]
    return compare_across_machines(
        measured_run_of(*before),
        measured_run_of(*after, started_utc=started(1), machine=OTHER_MACHINE),
        0.05,
    ).pairs


def test_across_machines_nothing_is_decided_and_the_ratio_to_the_fastest_is_told():
    jax, torch, tensorflow = across((2, 6), (1, 2), (8, 16))
    assert {(each.outcome, each.doubt) for each in (jax, torch, tensorflow)} == {
        ("undecided", "machines")
    }
    assert {each.fastest for each in (jax, torch, tensorflow)} == {"torch"}
    assert torch.to_fastest is None
    assert jax.ratio.value == pytest.approx(3)
    assert jax.to_fastest.value == pytest.approx(1.5)
    assert jax.to_fastest.low < 1.5 < jax.to_fastest.high
    assert tensorflow.to_fastest.low < 1 < tensorflow.to_fastest.high


def test_across_machines_the_interval_to_the_fastest_holds_the_noise_of_four_samples():
    jax, torch = across((1, 3), (2, 4))
    half = math.log(torch.to_fastest.high / torch.to_fastest.low) / 2
    parts = [math.log(each.ratio.high / each.ratio.low) / 2 for each in (jax, torch)]
    assert max(parts) < half < sum(parts)


def test_across_machines_equal_processes_have_an_interval_of_no_width():
    same = {"process_epoch_seconds": (0.1,) * 4}
    before = [replace(measured_arm(backend), **same) for backend in ("jax", "torch")]
    runs = measured_run_of(*before), measured_run_of(*before, machine=OTHER_MACHINE)
    _, torch = compare_across_machines(*runs, 0.05).pairs
    assert torch.to_fastest.low == torch.to_fastest.value == torch.to_fastest.high == 1


def test_across_thread_policies_arms_of_different_ones_match():
    before, after = two(threads="single", after={"threads": "single"})
    (pair,) = compare_across_machines(before, after, 0.05).pairs
    assert (pair.outcome, pair.doubt) == ("undecided", "machines")


def test_across_machines_what_does_not_count_keeps_its_reason():
    jax, torch = across((1, 1), (2, 2), parity=DIFFERS)
    assert jax.outcome == torch.outcome == "parity failed"
    jax, torch = across((1, 1), (2, 2), examples=1)
    assert jax.doubt == torch.doubt == "examples"


def test_a_run_gives_what_comparing_needs():
    found = measured_run(
        run(result("jax", 0.1, 0.2), result("torch", failure=failure()), complete=False), "it"
    )
    assert (found.source, found.threads, found.complete) == ("it", "default", False)
    jax, torch = found.arms
    assert jax.process_epoch_seconds == pytest.approx((0.1, 0.2))
    assert (jax.examples, torch.examples) == (2100, None)
    assert (torch.process_epoch_seconds, torch.failure) == ((), failure())
    assert jax.environment.packages == (("jax", "0.10.2"), ("keras", "3.15.1"), ("numpy", "2.4.6"))
    assert isinstance(found.machine, Machine)


def test_a_visible_slowdown_is_found():
    assert only(*two(1.2)).outcome == "regressed"
    assert only(*two(1.2), history=history_rows_of([0.1, -0.1, 0.0, 0.2, -0.2])).outcome == (
        "undecided"
    )


def test_the_interval_alone_is_that_of_the_tables():
    pair = only(*two(1.3))
    assert pair.ratio == ratio(times(1.3), CALM)
    assert pair.between.reach == timedelta(hours=1)
