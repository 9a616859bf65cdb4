import math
from bisect import bisect_left
from dataclasses import replace

import pytest
from builders import DIFFERS, FIRST_LOOK, LAST_LOOK, around, failure, gate, sample, side, two_sides
from orders import orders_of_a_gate, unmeasured_gate

from keras_bench.analyze.gate_plan import next_round
from keras_bench.analyze.pairs import pairs
from keras_bench.analyze.plan import Stop
from keras_bench.analyze.sequential import LOOKS
from keras_bench.records import GateSettings

WILD = around(0.0, 4, spread=0.5)
BUDGET = Stop("budget")
CALM = around(0.0, FIRST_LOOK)

#: What a round of `sample(0.1)` costs: 4 s before its first epoch, 1.1 s for that, and 9 × 0.1 s.
ROUND_SECONDS = 6.0


def labels(plan):
    return [[each.environment.label for each in group] for group in plan]


def workloads(plan):
    assert not isinstance(plan, Stop), plan
    return [group[0].workload for group in plan]


def test_the_first_round_measures_both_sides_of_every_pair():
    start = unmeasured_gate("one", "two", "three")
    plan = next_round(start, 0.0)
    assert {each for group in plan for each in group} == {each.arm for each in start.results}
    assert sorted(workloads(plan)) == ["one", "three", "two"]
    for group in plan:
        assert len({each.workload for each in group}) == 1
        assert {each.environment.label for each in group} == {"baseline", "candidate"}


def test_the_first_round_is_measured_whatever_the_budget():
    start = unmeasured_gate("one", "two", settings=GateSettings(budget_seconds=1.0))
    assert len(next_round(start, 100.0)) == 2


def test_the_sides_change_places_within_two_rounds():
    for first, second in zip(orders_of_a_gate(40)[::2], orders_of_a_gate(40)[1::2], strict=True):
        assert first == second[::-1]


def test_the_order_is_reproducible_by_the_seed_and_differs_between_seeds():
    assert orders_of_a_gate(20, seed=3) == orders_of_a_gate(20, seed=3)
    assert orders_of_a_gate(20, seed=3) != orders_of_a_gate(20, seed=4)


def test_workloads_have_orders_of_their_own_and_change_places_too():
    start = unmeasured_gate("one", "two")
    plans = [next_round(replace(start, rounds=number), 0.0) for number in range(40)]
    same = [labels(plan)[0] == labels(plan)[1] for plan in plans]
    assert {True, False} == set(same)
    assert {("one", "two"), ("two", "one")} == {tuple(workloads(plan)) for plan in plans}


def test_several_environments_are_one_group_and_turn_around_within_two_rounds():
    versions = ("1.0", "1.1", "1.2")
    start = gate(*[side(label) for label in versions])
    (first,), (second,) = (labels(next_round(replace(start, rounds=each), 0.0)) for each in (0, 1))
    assert sorted(first) == sorted(versions)
    assert first == second[::-1]


def test_backends_of_one_workload_are_groups_of_their_own():
    start = gate(
        *[side(label, backend=name) for name in ("jax", "torch") for label in ("old", "new")]
    )
    groups = next_round(start, 0.0)
    assert all({each.backend for each in group} == {group[0].backend} for group in groups)
    assert len(groups) == 2


# Who goes on.


def test_a_decided_pair_is_left_out_while_another_is_undecided():
    known = gate(*two_sides(CALM, workload="settled"), *two_sides(WILD, workload="open"))
    assert workloads(next_round(known, 0.0)) == ["open"]


def test_a_pair_whose_change_is_to_be_confirmed_goes_on():
    known = gate(*two_sides(around(0.1, FIRST_LOOK)))
    assert pairs(known)[0].judgement.confirming == "regressed"
    assert workloads(next_round(known, 0.0)) == ["net"]


@pytest.mark.parametrize("odd", [{"failure": failure()}, {"parity": DIFFERS}], ids=str)
@pytest.mark.parametrize("label", ["baseline", "candidate"])
def test_a_pair_that_cannot_be_compared_is_left_out(label, odd):
    known = gate(
        *[
            side(name, workload="odd", **(odd if name == label else {}))
            for name in ("baseline", "candidate")
        ],
        *two_sides(WILD, workload="sound"),
    )
    assert workloads(next_round(known, 0.0)) == ["sound"]


def test_of_several_environments_only_those_that_can_be_compared_go_on():
    known = gate(
        side("1.0"), side("1.1", failure=failure()), side("1.2", parity=DIFFERS), side("2")
    )
    (group,) = labels(next_round(known, 0.0))
    assert sorted(group) == ["1.0", "2"]


# The end.


def test_it_stops_decided_when_every_verdict_is_final():
    known = gate(
        *two_sides(CALM, workload="one"), *two_sides(around(0.1, 2 * FIRST_LOOK), workload="two")
    )
    assert next_round(known, 0.0) == Stop("decided")


def test_it_stops_decided_when_the_looks_have_run_out():
    known = gate(*two_sides(around(0.0, LAST_LOOK, spread=0.5)))
    assert next_round(known, 0.0) == Stop("decided")
    fewer = gate(*two_sides(around(0.0, LAST_LOOK - 1, spread=0.5)))
    assert workloads(next_round(fewer, 0.0)) == ["net"]


def test_it_stops_decided_where_what_could_be_measured_is_decided():
    known = gate(
        *two_sides(CALM, workload="one"),
        side("baseline", workload="two", failure=failure()),
        side("candidate", workload="two"),
    )
    assert next_round(known, 0.0) == Stop("decided")


def test_it_stops_failed_where_nothing_could_be_measured():
    known = gate(side("baseline"), side("candidate", failure=failure()))
    assert next_round(known, 0.0) == Stop("failed")
    later = gate(*[replace(each, failure=failure()) for each in two_sides(WILD)])
    assert next_round(later, 0.0) == Stop("failed")


def test_it_stops_for_parity_where_that_is_what_keeps_pairs_from_being_measured():
    known = gate(side("baseline"), side("candidate", parity=DIFFERS))
    assert next_round(known, 0.0) == Stop("parity")
    mixed = gate(
        *known.results,
        side("baseline", workload="two", failure=failure()),
        side("candidate", workload="two"),
    )
    assert next_round(mixed, 0.0) == Stop("parity")


def needed_seconds(known):
    """Return how much budget is just enough for the next round to be planned."""
    budget = known.settings.budget_seconds

    def is_planned(left_seconds):
        return next_round(known, budget - left_seconds) != BUDGET

    return bisect_left(range(int(budget)), True, key=is_planned)


@pytest.mark.parametrize(
    ("log_ratios", "further_rounds"),
    [
        (around(0.0, 1), FIRST_LOOK - 1),
        (around(0.0, FIRST_LOOK - 1), 1),
        (around(0.0, FIRST_LOOK, spread=0.5), LOOKS[1] - FIRST_LOOK),
        (around(0.0, LOOKS[1] + 1, spread=0.5), LOOKS[2] - LOOKS[1] - 1),
        # A change that is to be confirmed has looks of its own.
        (around(0.1, FIRST_LOOK), FIRST_LOOK),
        (around(0.1, FIRST_LOOK + 2), FIRST_LOOK - 2),
    ],
)
def test_a_round_is_started_only_where_the_next_look_fits_the_budget(log_ratios, further_rounds):
    known = gate(*two_sides(log_ratios), settings=GateSettings(budget_seconds=1000.0))
    (pair,) = pairs(known)
    assert pair.judgement.rounds_to_next_look == further_rounds
    each = known.results[0].samples[0].process_seconds
    assert needed_seconds(known) == pytest.approx(further_rounds * each, rel=0.05, abs=1)


def test_rounds_that_do_not_count_bring_no_look_nearer():
    jumped = [
        sample(epoch_seconds=(1.0, -0.1, 0.1), round=each, process_seconds=6.0) for each in (1, 2)
    ]
    settings = GateSettings(budget_seconds=1000.0)
    known = gate(side("baseline", *jumped), side("candidate", *jumped), settings=settings)
    assert needed_seconds(known) == FIRST_LOOK * 6


def test_a_group_goes_on_for_the_pair_that_is_nearest_to_its_next_look():
    steady = [0.1] * FIRST_LOOK
    slower = [0.1 * 1.1] * FIRST_LOOK
    wild = [0.1 * 1.1 * math.exp(each) for each in around(0.0, FIRST_LOOK, spread=0.5)]
    settings = GateSettings(budget_seconds=1000.0)
    known = gate(side("1", *steady), side("2", *slower), side("3", *wild), settings=settings)
    to_confirm, undecided = (pair.judgement.rounds_to_next_look for pair in pairs(known))
    assert (to_confirm, undecided) == (FIRST_LOOK, LOOKS[1] - FIRST_LOOK)
    assert needed_seconds(known) == pytest.approx(undecided * ROUND_SECONDS, rel=0.1)


def test_a_decided_gate_is_not_out_of_budget():
    assert next_round(gate(*two_sides(CALM)), 1e6) == Stop("decided")


def test_a_pair_that_does_not_fit_leaves_room_for_one_that_does():
    def lasting(seconds, workload):
        samples = [sample(0.1, round=1, process_seconds=seconds)]
        return [side(label, *samples, workload=workload) for label in ("baseline", "candidate")]

    known = gate(
        *lasting(50.0, "dear"),
        *lasting(10.0, "cheap"),
        *lasting(10.0, "as cheap"),
        settings=GateSettings(budget_seconds=1000.0),
    )

    def afforded(rounds_of_ten_seconds):
        left_seconds = rounds_of_ten_seconds * 10.0 * (FIRST_LOOK - 1)
        return next_round(known, 1000.0 - left_seconds)

    assert sorted(workloads(afforded(7.1))) == ["as cheap", "cheap", "dear"]
    assert sorted(workloads(afforded(6.9))) == ["as cheap", "cheap"]
    assert workloads(afforded(1.9)) == ["cheap"]
    assert afforded(0.9) == BUDGET


def test_the_pair_that_is_nearest_to_its_next_look_is_the_first_to_be_afforded():
    known = gate(
        *two_sides([0.0] * 2, workload="far"),
        *two_sides([0.0] * 3, workload="near"),
        settings=GateSettings(budget_seconds=100.0),
    )
    enough = (FIRST_LOOK - 3) * ROUND_SECONDS
    assert workloads(next_round(known, 99.9 - enough)) == ["near"]
    assert next_round(known, 100.1 - enough) == BUDGET


def test_a_round_costs_what_the_rounds_so_far_did_on_the_average():
    samples = [
        sample(0.1, round=1, process_seconds=10.0),
        sample(0.1, round=2, process_seconds=30.0),
    ]
    known = gate(
        side("baseline", *samples),
        side("candidate", *samples),
        settings=GateSettings(budget_seconds=100.0),
    )
    enough = 20.0 * (FIRST_LOOK - 2)
    assert workloads(next_round(known, 99.9 - enough)) == ["net"]
    assert next_round(known, 100.1 - enough) == BUDGET
