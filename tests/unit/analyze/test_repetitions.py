import math
from dataclasses import replace

import pytest
from builders import sample

from keras_bench.analyze.repetitions import epoch_cost_seconds, process_cost_seconds, steady_epochs
from keras_bench.records import Settings

UNBOUND = Settings(min_steady_epochs=1, min_steady_seconds=0.0)


def process(log_mean=0.0, half_sd=0.0, epochs=10, process_cost=4.0, epoch_cost=0.1):
    """Return a process whose two halves' mean logarithms have the variance half_sd² exactly."""
    shift = half_sd / math.sqrt(2)
    half = epochs // 2
    logs = [log_mean + shift] * half + [log_mean - shift] * (epochs - half)
    steady = tuple(epoch_cost * math.exp(log) for log in logs)
    return sample(epoch_seconds=(1.0, 0.2, *steady), process_seconds=process_cost + sum(steady))


def processes(between, half_sd=0.0, **changes):
    """Return four processes between whose mean logarithms the variance is `between` exactly."""
    distance = math.sqrt(1.5 * between)
    return [process(mean, half_sd, **changes) for mean in (-distance, 0.0, 0.0, distance)]


def test_a_process_costs_all_that_comes_before_its_first_steady_epoch():
    samples = [process(process_cost=cost) for cost in (3.0, 5.0, 50.0)]
    assert process_cost_seconds(samples) == pytest.approx(5.0)


def test_an_epoch_costs_the_median_of_medians():
    samples = [process(epoch_cost=cost) for cost in (0.1, 0.2, 5.0)]
    assert epoch_cost_seconds(samples) == pytest.approx(0.2)


def test_kalibera_and_jones_number_comes_out():
    # T1² = 2e-4 × 5 = 1e-3, T2² = 3.5e-4 - 2e-4 ÷ 2 = 2.5e-4: sqrt(4.0 ÷ 0.1 × 4) = 12.65
    samples = processes(between=3.5e-4, half_sd=math.sqrt(2e-4))
    assert steady_epochs(samples, UNBOUND) == 13


def test_a_speed_that_wanders_slowly_asks_for_more_epochs_than_one_that_flickers():
    means = (-0.02, 0.0, 0.0, 0.02)
    slow = [0.03] * 5 + [-0.03] * 5
    flicker = [0.03, -0.03] * 5

    def with_swings(swings):
        epochs = [[0.1 * math.exp(mean + swing) for swing in swings] for mean in means]
        return [
            sample(epoch_seconds=(1.0, 0.2, *each), process_seconds=4.0 + sum(each))
            for each in epochs
        ]

    assert steady_epochs(with_swings(slow), UNBOUND) > 3 * steady_epochs(
        with_swings(flicker), UNBOUND
    )


def test_a_dearer_process_is_worth_more_epochs():
    cheap = processes(between=3.5e-4, half_sd=math.sqrt(2e-4))
    dear = processes(between=3.5e-4, half_sd=math.sqrt(2e-4), process_cost=16.0)
    assert steady_epochs(cheap, UNBOUND) == 13
    assert steady_epochs(dear, UNBOUND) == 26


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_than_four_processes_count_both_variances_as_equal(count):
    samples = processes(between=1e-2, half_sd=0.001)[:count]
    same_epoch_cost = [process(half_sd=0.001) for _ in samples]
    assert steady_epochs(same_epoch_cost, UNBOUND) == 7


def test_processes_of_one_steady_epoch_tell_nothing_of_the_variance_within():
    samples = [*processes(between=1e-2, half_sd=0.001)[:3], process(epochs=1)]
    assert steady_epochs(samples, UNBOUND) > 1
    assert steady_epochs([process(epochs=1)] * 4, UNBOUND) == 7


def test_where_nothing_is_left_between_processes_the_cost_ratio_bounds_the_epochs():
    samples = processes(between=0.0, half_sd=0.03)
    assert steady_epochs(samples, UNBOUND) == 80


def test_where_epochs_explain_all_between_processes_the_cost_ratio_bounds_the_epochs():
    samples = processes(between=4.5e-4, half_sd=0.03)
    assert steady_epochs(samples, UNBOUND) == 80


def test_no_process_runs_more_than_200_steady_epochs():
    samples = processes(between=0.0, half_sd=0.03, process_cost=100.0)
    assert steady_epochs(samples, UNBOUND) == 200


def test_without_noise_within_processes_the_least_number_will_do():
    samples = processes(between=1e-2, half_sd=0.0)
    assert steady_epochs(samples, UNBOUND) == 1
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=0.0)) == 8


def test_the_least_seconds_ask_for_as_many_epochs_as_fill_them():
    samples = processes(between=1e-2, half_sd=0.0)
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=1.45)) == 15


def test_the_least_that_settings_ask_holds_against_a_low_cost_ratio():
    samples = processes(between=0.0, half_sd=0.03, process_cost=0.19)
    assert steady_epochs(samples, UNBOUND) == 4
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=0.0)) == 8


def test_the_least_seconds_never_ask_for_more_than_200_epochs():
    samples = processes(between=1e-2, half_sd=0.0, epoch_cost=0.001)
    assert steady_epochs(samples, Settings(min_steady_seconds=1.5)) == 200


def test_no_process_is_planned_longer_than_the_timeout_lets_it_live():
    slow = processes(between=1e-2, epochs=4, process_cost=75.0, epoch_cost=35.0)
    assert steady_epochs(slow, Settings(timeout_seconds=300.0)) == 5
    assert steady_epochs(slow, Settings(timeout_seconds=80.0)) == 1


def test_a_block_of_calls_costs_all_of_them():
    one = process(epoch_cost=0.001, process_cost=4.0)
    steady = sum(one.epoch_seconds[2:])
    many = replace(one, calls_per_block=20, process_seconds=4.0 + 20 * steady)
    assert epoch_cost_seconds([many]) == pytest.approx(20 * epoch_cost_seconds([one]))
    assert process_cost_seconds([many]) == pytest.approx(4.0)
