import math

import pytest
from builders import sample

from bench.analyze.repetitions import epoch_cost_seconds, process_cost_seconds, steady_epochs
from bench.records import Settings

UNBOUND = Settings(min_steady_epochs=1, min_steady_seconds=0.0)


def process(log_mean=0.0, spread=0.0, epochs=9, process_cost=3.87, epoch_cost=0.1):
    """Return a process whose steady epochs' logarithms have the variance spread² exactly."""
    swings = [spread, -spread] * (epochs // 2)
    if swings:
        swings = [swing * math.sqrt((epochs - 1) / len(swings)) for swing in swings]
    logs = [log_mean, *[log_mean + swing for swing in swings]]
    steady = tuple(epoch_cost * math.exp(log) for log in logs)
    uncounted = (1.0, 0.2)
    return sample(epoch_seconds=uncounted + steady, process_seconds=process_cost + sum(steady))


def processes(between, spread=0.0, **changes):
    """Return four processes between whose mean logarithms the variance is `between` exactly."""
    distance = math.sqrt(1.5 * between)
    return [process(mean, spread, **changes) for mean in (-distance, 0.0, 0.0, distance)]


def test_a_process_costs_all_that_comes_before_its_first_steady_epoch():
    samples = [process(process_cost=cost) for cost in (3.0, 5.0, 50.0)]
    assert process_cost_seconds(samples) == pytest.approx(5.0)


def test_an_epoch_costs_the_median_of_medians():
    samples = [process(epoch_cost=cost) for cost in (0.1, 0.2, 5.0)]
    assert epoch_cost_seconds(samples) == pytest.approx(0.2)


def test_kalibera_and_jones_number_comes_out():
    # T1² = 9e-4, T2² = 3.25e-4 - 9e-4 ÷ 9 = 2.25e-4: sqrt(3.87 ÷ 0.1 × 4) = 12.44
    samples = processes(between=3.25e-4, spread=0.03)
    assert steady_epochs(samples, UNBOUND) == 13


def test_processes_of_unequal_length_count_by_the_harmonic_mean_of_their_epochs():
    # T1² = 9e-4, T2² = 3e-4 - 9e-4 ÷ 4.5 = 1e-4: sqrt(3.87 ÷ 0.1 × 9) = 18.66
    distance = math.sqrt(1.5 * 3e-4)
    samples = [
        process(mean, 0.03, epochs)
        for mean, epochs in ((-distance, 9), (0.0, 9), (0.0, 3), (distance, 3))
    ]
    assert steady_epochs(samples, UNBOUND) == 19


def test_a_dearer_process_is_worth_more_epochs():
    cheap = processes(between=3.25e-4, spread=0.03, process_cost=3.87)
    dear = processes(between=3.25e-4, spread=0.03, process_cost=4 * 3.87)
    assert steady_epochs(cheap, UNBOUND) == 13
    assert steady_epochs(dear, UNBOUND) == 25


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_than_four_processes_count_both_variances_as_equal(count):
    samples = processes(between=1e-2, spread=0.001)[:count]
    same_epoch_cost = [process(spread=0.001) for _ in samples]
    assert steady_epochs(same_epoch_cost, UNBOUND) == 7


def test_processes_of_one_steady_epoch_tell_nothing_of_the_variance_within():
    samples = [*processes(between=1e-2, spread=0.001)[:3], process(epochs=1)]
    assert steady_epochs(samples, UNBOUND) > 1
    assert steady_epochs([process(epochs=1)] * 4, UNBOUND) == 7


def test_where_nothing_is_left_between_processes_the_cost_ratio_bounds_the_epochs():
    samples = processes(between=0.0, spread=0.03)
    assert steady_epochs(samples, UNBOUND) == 78


def test_where_epochs_explain_all_between_processes_the_cost_ratio_bounds_the_epochs():
    samples = processes(between=0.9e-4, spread=0.03)
    assert steady_epochs(samples, UNBOUND) == 78


def test_no_process_runs_more_than_200_steady_epochs():
    samples = processes(between=0.0, spread=0.03, process_cost=100.0)
    assert steady_epochs(samples, UNBOUND) == 200


def test_without_noise_within_processes_the_least_number_will_do():
    samples = processes(between=1e-2, spread=0.0)
    assert steady_epochs(samples, UNBOUND) == 1
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=0.0)) == 8


def test_the_least_seconds_ask_for_as_many_epochs_as_fill_them():
    samples = processes(between=1e-2, spread=0.0)
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=1.45)) == 15


def test_the_least_that_settings_ask_holds_against_a_low_cost_ratio():
    samples = processes(between=0.0, spread=0.03, process_cost=0.19)
    assert steady_epochs(samples, UNBOUND) == 4
    assert steady_epochs(samples, Settings(min_steady_epochs=8, min_steady_seconds=0.0)) == 8


def test_the_least_seconds_never_ask_for_more_than_200_epochs():
    samples = processes(between=1e-2, spread=0.0, epoch_cost=0.001)
    assert steady_epochs(samples, Settings(min_steady_seconds=1.5)) == 200
