from dataclasses import replace
from itertools import pairwise

import pytest
from builders import DIFFERS, failure, predicted, result, run
from orders import orders_of_a_run

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.plan import FIRST_ROUND_SHARE, Stop, next_process, next_round, still_wanted
from keras_bench.analyze.steady import UNCOUNTED_EPOCHS
from keras_bench.records import Settings

UNLIMITED = Settings(budget_seconds=None)

CALM = (0.100, 0.101, 0.099, 0.100, 0.101, 0.099)
CALM_TWICE = (0.200, 0.202, 0.198, 0.200, 0.202, 0.198)
LOOSE = (0.3, 0.4, 0.5, 0.35, 0.45, 0.4)


def arms_of(assignments):
    return [assignment.arm for assignment in assignments]


def backends_of(assignments):
    return sorted(assignment.arm.backend for assignment in assignments)


def unmeasured(**changes):
    results = [
        result(backend, workload=workload)
        for workload in ("one", "two")
        for backend in ("tensorflow", "jax", "torch")
    ]
    return run(*results, **changes)


def test_the_first_round_runs_every_arm_once_for_its_own_number_of_epochs():
    start = unmeasured()
    assignments = next_round(start, 0.0)
    assert len(assignments) == 6
    assert set(arms_of(assignments)) == {known.arm for known in start.results}
    assert {assignment.epochs for assignment in assignments} == {None}


def test_the_first_round_shares_a_part_of_the_budget_among_the_arms():
    assignments = next_round(unmeasured(settings=Settings(budget_seconds=120.0)), 0.0)
    limits = {assignment.time_limit_seconds for assignment in assignments}
    assert limits == {120.0 * FIRST_ROUND_SHARE / 6}


def test_the_first_round_has_no_time_limit_without_a_budget():
    assignments = next_round(unmeasured(settings=UNLIMITED), 0.0)
    assert {assignment.time_limit_seconds for assignment in assignments} == {None}


def test_the_order_is_reproducible_by_the_seed():
    assert orders_of_a_run(seed=7) == orders_of_a_run(seed=7)


def test_the_order_differs_between_seeds_and_between_rounds():
    assert orders_of_a_run(seed=7) != orders_of_a_run(seed=8)
    assert len(set(orders_of_a_run(seed=7))) > 1


def test_workloads_are_mixed_within_a_round():
    adjacent = [
        before.workload == after.workload
        for seed in range(50)
        for arms in [arms_of(next_round(unmeasured(settings=Settings(seed=seed)), 0.0))]
        for before, after in pairwise(arms)
    ]
    assert any(adjacent)
    assert not all(adjacent)


def test_a_number_of_rounds_runs_exactly_that_many_whatever_the_precision():
    settings = Settings(rounds=6, budget_seconds=None)
    settled = run(result("jax", *CALM), result("torch", *CALM_TWICE), settings=settings, rounds=5)
    assert backends_of(next_round(settled, 1e6)) == ["jax", "torch"]
    assert next_round(replace(settled, rounds=6), 0.0) == Stop("rounds")


def test_it_stops_precise_when_every_ratio_is_known():
    settled = run(result("jax", *CALM), result("torch", *CALM_TWICE), settings=UNLIMITED)
    assert next_round(settled, 0.0) == Stop("precise")


def test_precision_is_what_the_settings_say():
    settled = run(result("jax", *CALM), result("torch", *CALM_TWICE), settings=UNLIMITED)
    stricter = replace(settled, settings=replace(UNLIMITED, precision=0.01))
    assert backends_of(next_round(stricter, 0.0)) == ["jax", "torch"]


def test_three_processes_that_agree_end_nothing():
    early = run(result("jax", *[0.1] * 3), result("torch", *[0.2] * 3), settings=UNLIMITED)
    assert backends_of(next_round(early, 0.0)) == ["jax", "torch"]


def test_an_arm_alone_is_measured_until_its_own_time_is_known():
    assert next_round(run(result("jax", *CALM), settings=UNLIMITED), 0.0) == Stop("precise")
    assert backends_of(next_round(run(result("jax", *LOOSE), settings=UNLIMITED), 0.0)) == ["jax"]


def test_a_settled_arm_is_left_out_and_the_fastest_stays_while_another_is_unsettled():
    known = run(
        result("tensorflow", *CALM_TWICE),
        result("jax", 0.100, 0.105, 0.095, 0.102, 0.098, 0.1),
        result("torch", 0.3, 0.32, 0.28, 0.29, 0.31, 0.3),
        settings=replace(UNLIMITED, precision=0.04),
    )
    assert backends_of(next_round(known, 0.0)) == ["jax", "torch"]


def test_the_fastest_is_left_out_where_its_own_time_is_not_what_is_missing():
    known = run(result("jax", *CALM), result("torch", *LOOSE), settings=UNLIMITED)
    assert backends_of(next_round(known, 0.0)) == ["torch"]


def test_a_settled_workload_is_left_out_while_another_is_unsettled():
    known = run(
        result("jax", *CALM, workload="settled"),
        result("torch", *CALM_TWICE, workload="settled"),
        result("jax", *CALM, workload="loose"),
        result("torch", *LOOSE, workload="loose"),
        settings=UNLIMITED,
    )
    assert {each.workload for each in arms_of(next_round(known, 0.0))} == {"loose"}


def test_still_wanted_is_nothing_once_all_is_known():
    assert still_wanted([result("jax", *CALM), result("torch", *CALM_TWICE)], 0.05) == []


def test_a_failed_arm_gets_no_further_worker():
    known = run(
        result("jax", *LOOSE),
        result("torch", 0.2, failure=failure()),
        result("tensorflow", failure=failure()),
        settings=UNLIMITED,
    )
    assert backends_of(next_round(known, 0.0)) == ["jax"]


def test_a_failed_arm_gets_no_further_worker_of_a_number_of_rounds_either():
    known = run(result("jax", 0.1), result("torch", failure=failure()), settings=Settings(rounds=3))
    assert backends_of(next_round(known, 0.0)) == ["jax"]


@pytest.mark.parametrize("settings", [Settings(), UNLIMITED, Settings(rounds=3)])
def test_it_stops_failed_when_every_arm_failed(settings):
    known = run(
        result("jax", failure=failure()),
        result("torch", 0.2, failure=failure()),
        settings=settings,
        rounds=1,
    )
    assert next_round(known, 0.0) == Stop("failed")


def test_later_rounds_run_the_epochs_that_settings_ask_beyond_the_uncounted_ones():
    settings = replace(UNLIMITED, min_steady_epochs=60, min_steady_seconds=0.0)
    known = run(result("jax", 0.1), result("torch", 0.1), settings=settings)
    assignments = next_round(known, 0.0)
    assert {assignment.epochs for assignment in assignments} == {UNCOUNTED_EPOCHS + 60}
    assert {assignment.time_limit_seconds for assignment in assignments} == {None}


# A worker of `sample(0.1)` costs 4 s, 1.1 s and 0.1 s for the uncounted epochs, and here 20 × 0.1 s
# for the steady ones: 7.2 s.
TWENTY_EPOCHS = Settings(budget_seconds=100.0, min_steady_epochs=20, min_steady_seconds=0.0)
WORKER_SECONDS = 7.2


def test_a_round_is_started_only_where_it_fits_the_budget():
    known = run(result("jax", 0.1), result("torch", 0.1), settings=TWENTY_EPOCHS)
    just_enough = 100.0 - 2 * WORKER_SECONDS
    assert backends_of(next_round(known, just_enough - 0.1)) == ["jax", "torch"]
    assert next_round(known, just_enough + 0.1) == Stop("budget")


def test_a_budget_ends_a_number_of_rounds_too():
    settings = replace(TWENTY_EPOCHS, rounds=50)
    known = run(result("jax", 0.1), result("torch", 0.1), settings=settings)
    assert backends_of(next_round(known, 0.0)) == ["jax", "torch"]
    assert next_round(known, 99.0) == Stop("budget")


def test_where_one_workload_fits_the_least_measured_one_is_run():
    known = run(
        result("jax", 0.1, 0.1, workload="much"),
        result("torch", 0.1, 0.1, workload="much"),
        result("jax", 0.1, workload="little"),
        result("torch", 0.1, workload="little"),
        settings=TWENTY_EPOCHS,
    )
    assignments = next_round(known, 100.0 - 2 * WORKER_SECONDS - 0.1)
    assert {each.workload for each in arms_of(assignments)} == {"little"}
    assert len(assignments) == 2


def test_a_workload_that_does_not_fit_leaves_room_for_one_that_does():
    known = run(
        result("jax", 5.0, workload="dear"),
        result("torch", 5.0, workload="dear"),
        result("jax", 0.1, 0.1, workload="cheap"),
        result("torch", 0.1, 0.1, workload="cheap"),
        settings=TWENTY_EPOCHS,
    )
    assignments = next_round(known, 100.0 - 2 * WORKER_SECONDS - 0.1)
    assert {each.workload for each in arms_of(assignments)} == {"cheap"}


def test_a_run_is_not_precise_before_the_ratios_to_the_fastest_that_counts_are():
    spread = [0.0425 * share for share in (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0)]
    known = run(
        result("jax", *[0.1] * 6, parity=DIFFERS),
        result("tensorflow", *[0.2 * (1 + share) for share in spread]),
        result("torch", *[0.4 * (1 + share) for share in spread[::-1]]),
    )
    shown = tables(known)[0].rows[1].figures.ratio
    wanted = next_round(known, 0.0)
    assert shown.half_width > known.settings.precision
    assert wanted != Stop("precise")


def test_a_backend_that_learns_something_else_is_not_measured_for_precisions_sake():
    loose = result("jax", *LOOSE, parity=DIFFERS)
    known = [loose, result("tensorflow", *CALM), result("torch", *CALM_TWICE)]
    assert still_wanted(known, 0.05) == []
    assert still_wanted([loose], 0.05) == [loose]


def test_where_others_count_the_rounds_processes_are_those_of_a_run_of_one_arm():
    settings = Settings(budget_seconds=120.0, rounds=1000)
    for known in (result("jax"), result("jax", *CALM)):
        measured = replace(run(known, settings=settings), rounds=len(known.samples))
        assert (next_process(known, settings),) == next_round(measured, 0.0)


@pytest.mark.parametrize("budget", [None, 900.0])
def test_the_first_prediction_lasts_as_long_as_a_process_at_the_least(budget):
    settings = Settings(budget_seconds=budget, min_steady_seconds=2.0)
    (assignment,) = next_round(run(predicted("jax"), settings=settings), 0.0)
    assert (assignment.epochs, assignment.time_limit_seconds) == (None, 2.0)
