from dataclasses import replace

import pytest
from builders import DIFFERS, arm, failure, in_slices, result, run, sample
from orders import orders_of_a_run

from keras_bench.analyze.comparison import tables
from keras_bench.analyze.plan import Stop, next_round, round_seconds, still_wanted
from keras_bench.records import Settings

UNLIMITED = Settings(budget_seconds=None)

CALM = (0.100, 0.101, 0.099, 0.100, 0.101, 0.099)
CALM_TWICE = (0.200, 0.202, 0.198, 0.200, 0.202, 0.198)
LOOSE = (0.3, 0.4, 0.5, 0.35, 0.45, 0.4)


def workloads_of(groups):
    return sorted({arm.workload for group in groups for arm in group})


def backends_of(groups):
    """Return the backends of the only group of a round."""
    (group,) = groups
    return sorted(arm.backend for arm in group)


def unmeasured(**changes):
    results = [
        result(backend, workload=workload)
        for workload in ("one", "two")
        for backend in ("tensorflow", "jax", "torch")
    ]
    return run(*results, **changes)


@pytest.mark.parametrize("settings", [UNLIMITED, Settings(budget_seconds=1.0), Settings(rounds=1)])
def test_the_first_round_measures_every_arm_in_the_group_of_its_workload(settings):
    groups = next_round(unmeasured(settings=settings), 0.0)
    assert len(groups) == 2
    for group in groups:
        (name,) = {each.workload for each in group}
        assert len(group) == 3
        assert set(group) == {arm(backend, name) for backend in ("tensorflow", "jax", "torch")}


def test_the_order_is_reproducible_by_the_seed():
    assert orders_of_a_run(seed=7) == orders_of_a_run(seed=7)


def test_the_order_differs_between_seeds_and_between_rounds():
    assert orders_of_a_run(seed=7) != orders_of_a_run(seed=8)
    assert len(set(orders_of_a_run(seed=7))) > 1


def test_workloads_take_turns_in_an_order_that_chance_gives():
    orders = {
        tuple(group[0].workload for group in next_round(unmeasured(settings=settings), 0.0))
        for settings in (Settings(seed=seed) for seed in range(50))
    }
    assert orders == {("one", "two"), ("two", "one")}


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


def test_what_the_machine_does_to_all_arms_of_a_round_keeps_none_of_them_unsettled():
    wandering = [1.0, 1.5, 0.7, 1.2, 0.8, 1.4]
    jax, torch = (
        result(
            backend,
            *(in_slices(seconds * slow, round=place) for place, slow in enumerate(wandering)),
        )
        for backend, seconds in (("jax", 0.1), ("torch", 0.2))
    )
    assert still_wanted([jax, torch], 0.05) == []
    assert still_wanted([jax], 0.05) == [jax]


def test_a_settled_workload_is_left_out_while_another_is_unsettled():
    known = run(
        result("jax", *CALM, workload="settled"),
        result("torch", *CALM_TWICE, workload="settled"),
        result("jax", *CALM, workload="loose"),
        result("torch", *LOOSE, workload="loose"),
        settings=UNLIMITED,
    )
    assert workloads_of(next_round(known, 0.0)) == ["loose"]


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


def in_round(number, seconds):
    """Return the sample of a round that took its group so long."""
    return sample(0.1, round=number, process_seconds=seconds)


def test_a_further_round_costs_as_much_as_the_last_one():
    jax = result("jax", in_round(1, 20.0), in_round(2, 8.0))
    torch = result("torch", in_round(1, 20.0), in_round(2, 8.0))
    assert round_seconds([jax, torch], [jax, torch]) == pytest.approx(8.0)


def test_a_round_of_more_arms_costs_more_by_as_many():
    jax, torch = result("jax", in_round(1, 20.0)), result("torch", in_round(1, 20.0))
    group = [jax, torch, result("tensorflow")]
    assert round_seconds(group, group) == pytest.approx(30.0)


def test_an_arm_that_was_left_out_has_no_part_in_the_last_round():
    jax = result("jax", in_round(1, 20.0), in_round(2, 8.0))
    torch = result("torch", in_round(1, 20.0))
    assert round_seconds([jax, torch], [jax, torch]) == pytest.approx(16.0)


def test_a_round_of_fewer_arms_costs_less():
    """Those that are left out now were part of what the last round took."""
    known = run(
        *(
            result(
                backend,
                *(
                    in_slices(each, round=place, process_seconds=30.0)
                    for place, each in enumerate(times, start=1)
                ),
            )
            for backend, times in (("jax", CALM), ("torch", LOOSE), ("tensorflow", CALM_TWICE))
        ),
        settings=Settings(budget_seconds=300.0),
    )
    assert backends_of(next_round(known, 300.0 - 20.1)) == ["jax", "torch"]


TWO_MINUTES = Settings(budget_seconds=120.0)


def test_a_round_is_started_only_where_it_fits_the_budget():
    first = in_round(1, 20.0)
    known = run(result("jax", first), result("torch", first), settings=TWO_MINUTES)
    assert backends_of(next_round(known, 99.9)) == ["jax", "torch"]
    assert next_round(known, 100.1) == Stop("budget")


def test_a_budget_ends_a_number_of_rounds_too():
    first = in_round(1, 20.0)
    settings = replace(TWO_MINUTES, rounds=50)
    known = run(result("jax", first), result("torch", first), settings=settings)
    assert backends_of(next_round(known, 99.9)) == ["jax", "torch"]
    assert next_round(known, 100.1) == Stop("budget")


def of_two_workloads(**rounds):
    """Return a run of workloads, each by the samples that its two arms have in common."""
    return run(
        *(
            result(backend, *samples, workload=name)
            for name, samples in rounds.items()
            for backend in ("jax", "torch")
        ),
        settings=TWO_MINUTES,
    )


def test_where_one_workload_fits_the_least_measured_one_is_run():
    first, second = in_round(1, 20.0), in_round(2, 20.0)
    known = of_two_workloads(much=[first, second], little=[first])
    groups = next_round(known, 99.9)
    assert workloads_of(groups) == ["little"]
    assert backends_of(groups) == ["jax", "torch"]


def test_a_workload_that_does_not_fit_leaves_room_for_one_that_does():
    known = of_two_workloads(dear=[in_round(1, 50.0)], cheap=[in_round(1, 5.0), in_round(2, 5.0)])
    assert workloads_of(next_round(known, 99.9)) == ["cheap"]


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
