import pytest
from builders import (
    AGREES,
    CALLS_PER_BLOCK,
    DIFFERS,
    EXPLAINED,
    UNABLE,
    failure,
    in_slices,
    predicted,
    result,
    run,
    sample,
)

from keras_bench.analyze.comparison import faults, tables
from keras_bench.analyze.stats import centre, ratio
from keras_bench.records import UNCHECKED

JAX = (0.100, 0.102, 0.098)
TENSORFLOW = (0.200, 0.210, 0.190)
TORCH = (0.400, 0.410, 0.390)


def rows_of(*results, **changes):
    (table,) = tables(run(*results, **changes))
    return table.rows


def test_there_is_a_table_per_workload_in_the_order_of_the_run():
    known = run(
        result("jax", 0.1, workload="second"),
        result("torch", 0.1, workload="first"),
        result("torch", 0.2, workload="second"),
    )
    assert [(each.workload, len(each.rows)) for each in tables(known)] == [
        ("second", 2),
        ("first", 1),
    ]


def test_a_workload_that_is_not_for_a_backend_fails_only_where_no_other_trains_it():
    unable = result("torch", failure=UNABLE)
    assert faults([result("jax", *JAX), unable]) == []
    assert faults([result("jax", *JAX, workload="other"), unable]) == [UNABLE]
    died = failure()
    assert faults([result("jax", *JAX), unable, result("tensorflow", failure=died)]) == [died]
    *_, row = rows_of(result("jax", *JAX), unable)
    assert (row.unsupported, row.failure, row.counts) == (True, UNABLE.message, False)


def test_rows_are_sorted_fastest_first_and_unmeasured_last():
    rows = rows_of(
        result("torch", failure=failure()),
        result("tensorflow", *TENSORFLOW),
        result("jax", *JAX),
    )
    assert [row.arm.backend for row in rows] == ["jax", "tensorflow", "torch"]
    assert rows[-1].figures is None


def test_unmeasured_rows_stand_in_the_order_of_backends():
    rows = rows_of(
        result("torch", failure=failure()), result("jax"), result("tensorflow", failure=failure())
    )
    assert [row.arm.backend for row in rows] == ["tensorflow", "jax", "torch"]


def test_every_row_but_the_fastest_has_its_ratio_to_the_fastest():
    fastest, second, third = rows_of(
        result("torch", *TORCH), result("jax", *JAX), result("tensorflow", *TENSORFLOW)
    )
    assert fastest.figures.ratio is None
    assert second.figures.ratio.value == pytest.approx(ratio(TENSORFLOW, JAX).value)
    assert third.figures.ratio.low == pytest.approx(ratio(TORCH, JAX).low)
    assert third.figures.ratio.high == pytest.approx(ratio(TORCH, JAX).high)


def test_arms_in_slices_are_compared_by_rounds_in_every_ratio():
    wandering = (1.0, 1.5, 0.7)

    def measured(backend, seconds, **changes):
        rounds = enumerate(wandering, start=1)
        samples = [in_slices(seconds * slow, round=number) for number, slow in rounds]
        return result(backend, *samples, **changes)

    (found,) = tables(
        run(measured("jax", 0.1), measured("torch", 0.3), measured("jax", 0.01, loop="fused"))
    )
    fused, jax, torch = found.rows
    _, torch_by_fit = found.of_loop("fit").rows
    for estimate, expected in (
        (jax.figures.ratio, 10.0),
        (torch.figures.ratio, 30.0),
        (fused.figures.speedup, 10.0),
        (torch_by_fit.figures.ratio, 3.0),
    ):
        assert (estimate.low, estimate.high) == pytest.approx((expected, expected))


def test_the_epoch_is_the_centre_over_processes():
    (row,) = rows_of(result("jax", *JAX))
    expected = centre(JAX)
    assert row.figures.process_epoch_seconds == pytest.approx(JAX)
    assert row.figures.epoch_seconds.value == pytest.approx(expected.value)
    assert row.figures.epoch_seconds.low == pytest.approx(expected.low)
    assert row.figures.epoch_seconds.high == pytest.approx(expected.high)


def test_examples_per_second_come_from_the_steady_epoch():
    (row,) = rows_of(result("jax", sample(0.25, examples=1000)))
    assert row.figures.examples_per_second == pytest.approx(4000)


def test_losses_are_compared_at_the_last_epoch_that_all_arms_came_to():
    jax, torch = rows_of(
        result("jax", sample(0.1, epochs=6, losses=(0.6, 0.5, 0.4, 0.3, 0.2, 0.1))),
        result("torch", sample(0.2, epochs=4, losses=(0.61, 0.51, 0.41, 0.31))),
    )
    assert (jax.figures.loss_epoch, torch.figures.loss_epoch) == (4, 4)
    assert (jax.figures.loss, torch.figures.loss) == (0.3, 0.31)


def test_losses_are_compared_no_later_than_the_workloads_own_fit_ends():
    losses = (0.6, 0.5, 0.4, 0.3)
    rows = rows_of(
        result("jax", sample(0.1, epochs=4, losses=losses, fit_epochs=3)),
        result("torch", sample(0.2, epochs=4, losses=losses, fit_epochs=3)),
    )
    assert [(row.figures.loss_epoch, row.figures.loss) for row in rows] == [(3, 0.4)] * 2


def test_losses_are_those_of_the_first_process():
    first = sample(0.1, epochs=5, losses=(0.5, 0.4, 0.3, 0.2, 0.1))
    later = sample(0.1, epochs=3, losses=(0.9, 0.8, 0.7))
    (row,) = rows_of(result("jax", first, later))
    assert (row.figures.loss_epoch, row.figures.loss) == (5, 0.1)


def test_an_unmeasured_arm_does_not_shorten_the_common_epochs():
    jax, _ = rows_of(result("jax", sample(epochs=7)), result("torch", failure=failure()))
    assert jax.figures.loss_epoch == 7


def test_metrics_are_those_of_the_same_epoch_or_of_the_last_validation_before_it():
    metrics = {"accuracy": (0.7, 0.8, 0.9), "val_loss": (0.5, None, 0.4), "late": (None, None, 1.0)}
    jax, torch = rows_of(
        result("jax", sample(0.1, epochs=3, metrics=metrics)),
        result("torch", sample(0.2, epochs=2)),
    )
    assert jax.figures.metrics == {"accuracy": 0.8, "val_loss": 0.5}
    assert torch.figures.metrics == {}


def test_an_arm_that_failed_later_keeps_what_it_measured():
    _, row = rows_of(result("jax", *JAX), result("torch", *TORCH, failure=failure()))
    assert row.figures.processes == 3
    assert row.failure == failure().message


def test_a_failed_arm_has_its_message_and_no_figures():
    (row,) = rows_of(result("torch", failure=failure()))
    assert (row.figures, row.failure) == (None, failure().message)


def test_an_arm_that_was_never_tried_has_neither_figures_nor_failure():
    (row,) = rows_of(result("torch"))
    assert (row.figures, row.failure) == (None, None)


def test_only_steady_epochs_are_counted():
    (row,) = rows_of(result("jax", sample(epochs=20), sample(epochs=12)))
    assert (row.figures.processes, row.figures.epochs) == (2, 18 + 10)


def test_other_times_and_the_memory_are_medians_over_processes():
    samples = [
        sample(
            0.1,
            import_seconds=import_seconds,
            build_seconds=import_seconds / 10,
            peak_rss_bytes=int(import_seconds * 1e8),
            epoch_seconds=(import_seconds + 1, 0.2, 0.1, 0.1),
            epoch_cpu_seconds=(9.0, 9.0, import_seconds, import_seconds),
        )
        for import_seconds in (2.0, 3.0, 50.0)
    ]
    (row,) = rows_of(result("jax", *samples))
    assert row.figures.import_seconds == 3.0
    assert row.figures.build_seconds == pytest.approx(0.3)
    assert row.figures.peak_rss_bytes == 300_000_000
    assert row.figures.first_epoch_seconds == 4.0
    assert row.figures.epoch_cpu_seconds == pytest.approx(3.0)


def test_what_learns_something_else_ranks_behind_those_that_count_even_if_it_is_fastest():
    rows = rows_of(
        result("torch", *TORCH),
        result("jax", *JAX, parity=DIFFERS),
        result("tensorflow", *TENSORFLOW),
    )
    assert [row.arm.backend for row in rows] == ["tensorflow", "torch", "jax"]
    assert [row.counts for row in rows] == [True, True, False]
    assert [row.parity for row in rows] == [UNCHECKED, UNCHECKED, DIFFERS]


def test_ratios_are_to_the_fastest_that_counts():
    fastest, second, odd = rows_of(
        result("torch", *TORCH),
        result("jax", *JAX, parity=DIFFERS),
        result("tensorflow", *TENSORFLOW),
    )
    assert fastest.figures.ratio is None
    assert second.figures.ratio.value == pytest.approx(ratio(TORCH, TENSORFLOW).value)
    assert odd.figures.ratio.value == pytest.approx(ratio(JAX, TENSORFLOW).value)
    assert odd.figures.ratio.high < 1


@pytest.mark.parametrize(
    "parity", [AGREES, EXPLAINED, UNCHECKED], ids=lambda parity: parity.outcome
)
def test_every_other_outcome_counts_and_ranks_by_its_time(parity):
    first, second = rows_of(
        result("torch", *TORCH, parity=AGREES), result("jax", *JAX, parity=parity)
    )
    assert (first.arm.backend, first.parity, first.counts) == ("jax", parity, True)
    assert second.figures.ratio.value == pytest.approx(ratio(TORCH, JAX).value)


def test_what_failed_and_what_learns_something_else_stand_together_the_fastest_first():
    rows = rows_of(
        result("tensorflow", *JAX, failure=failure()),
        result("jax", *TENSORFLOW, parity=DIFFERS),
        result("torch", *TORCH),
    )
    assert [row.arm.backend for row in rows] == ["torch", "tensorflow", "jax"]
    assert [row.counts for row in rows] == [True, False, False]


def test_where_none_counts_the_rows_still_stand_the_fastest_first():
    first, second = rows_of(
        result("torch", *TORCH, parity=DIFFERS), result("jax", *JAX, parity=DIFFERS)
    )
    assert (first.arm.backend, first.counts, second.counts) == ("jax", False, False)
    assert first.figures.ratio is None
    assert second.figures.ratio.value == pytest.approx(ratio(TORCH, JAX).value)


def test_a_row_without_figures_keeps_its_parity_and_does_not_count():
    failed, untried = rows_of(
        result("torch", parity=AGREES), result("tensorflow", failure=failure(), parity=DIFFERS)
    )
    assert (failed.figures, failed.parity, failed.counts) == (None, DIFFERS, False)
    assert (untried.figures, untried.parity, untried.counts) == (None, AGREES, False)


def test_a_prediction_has_no_loss_and_its_calls_are_counted():
    (table,) = tables(run(predicted("jax", 0.001, 0.001), predicted("openvino")))
    jax, openvino = table.rows
    assert (jax.figures.loss, jax.figures.metrics, jax.figures.loss_epoch) == (None, {}, None)
    assert jax.figures.epochs == 2 * 8 * CALLS_PER_BLOCK
    assert jax.figures.examples_per_second == pytest.approx(32 / 0.001)
    assert openvino.figures is None


def test_a_loop_s_speedup_is_over_fit_on_the_same_backend():
    rows = rows_of(
        result("jax", 0.1, 0.1),
        result("torch", 0.5, 0.5),
        result("jax", 0.01, 0.01, loop="fused"),
        result("torch", 0.1, 0.1, loop="fused"),
    )
    speedups = {row.arm.contender: row.figures.speedup for row in rows}
    assert speedups["jax"] is speedups["torch"] is None
    assert speedups["jax fused"].value == pytest.approx(10)
    assert speedups["torch fused"].value == pytest.approx(5)


@pytest.mark.parametrize("changes", [{"parity": DIFFERS}, {"failure": failure()}])
def test_there_is_no_speedup_over_a_fit_that_does_not_count(changes):
    rows = rows_of(result("jax", 0.1, 0.1, **changes), result("jax", 0.01, 0.01, loop="fused"))
    assert [row.figures.speedup for row in rows] == [None, None]


def test_the_rows_of_one_loop_are_compared_with_the_fastest_of_them():
    (found,) = tables(
        run(
            result("jax", 0.1, 0.1),
            result("torch", 0.5, 0.5),
            result("jax", 0.01, 0.01, loop="fused"),
            result("tensorflow", failure=failure()),
        )
    )
    assert found.loops == ("fit", "fused")
    by_fit = found.of_loop("fit")
    assert [row.arm.contender for row in by_fit.rows] == ["jax", "torch", "tensorflow"]
    fastest, torch, _ = by_fit.rows
    assert fastest.figures.ratio is None
    assert torch.figures.ratio.value == pytest.approx(5)
