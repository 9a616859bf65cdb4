from dataclasses import replace

import pytest
from builders import (
    AGREES,
    DIFFERS,
    EXPLAINED,
    UNABLE,
    failed_row,
    predicted,
    result,
    row,
    run,
    sample,
    table,
    unmeasured_row,
)

from keras_bench.analyze.answer import answer, answers, ending, is_decided, listed
from keras_bench.analyze.comparison import tables
from keras_bench.analyze.stats import Estimate
from keras_bench.records import UNCHECKED, Settings, Surroundings

NARROW = Estimate(1.50, 1.45, 1.55)
QUIET = Surroundings(2, None, 1.0, None, None, None, (), (), ())
WIDE = Estimate(4.20, 4.00, 4.40)
OPEN = Estimate(1.02, 0.97, 1.07)


def test_a_decided_table_of_three_names_the_fastest_and_both_ratios():
    decided = table(row("jax"), row("tensorflow", WIDE), row("torch", Estimate(8.4, 8.1, 8.75)))
    assert answer(decided) == (
        "jax trains net 4.2 times as fast as tensorflow (4.0 to 4.4)"
        " and 8.4 times as fast as torch (8.1 to 8.8)."
    )


def test_a_backend_that_a_workload_is_not_for_is_not_said_to_have_failed():
    (known,) = tables(run(result("jax", 0.1), result("torch", failure=UNABLE)))
    assert answer(known).endswith("nothing to compare it with (torch can't train it).")


def test_a_narrow_interval_is_told_with_two_decimals():
    assert answer(table(row("jax"), row("tensorflow", NARROW))) == (
        "jax trains net 1.50 times as fast as tensorflow (1.45 to 1.55)."
    )


def test_an_undecided_pair_names_no_winner_and_says_what_would_have_shown():
    assert answer(table(row("jax"), row("torch", OPEN))) == (
        "undecided: which backend trains net fastest; against jax, torch takes 1.02 times as long"
        " (0.97 to 1.07), where a difference of 4.9% would have shown."
    )


def test_an_interval_that_touches_one_decides_nothing():
    assert not is_decided(row("torch", Estimate(1.05, 1.00, 1.10)))
    assert is_decided(row("torch", Estimate(1.05, 1.001, 1.10)))


def test_one_process_each_decides_nothing():
    (known,) = tables(run(result("jax", 0.1), result("torch", 5.66)))
    assert answer(known) == (
        "undecided: which backend trains net fastest; against jax, torch has no ratio, which needs"
        " two processes of each."
    )


def test_a_partial_decision_tells_both_parts():
    assert answer(table(row("jax"), row("tensorflow", OPEN), row("torch", WIDE))) == (
        "jax trains net 4.2 times as fast as torch (4.0 to 4.4); undecided against it: tensorflow"
        " takes 1.02 times as long (0.97 to 1.07), where a difference of 4.9% would have shown."
    )


def test_one_backend_alone_has_its_time_and_nothing_to_compare():
    assert answer(table(row("jax"))) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with."
    )


def test_a_failed_backend_is_named_after_what_the_others_showed():
    assert answer(table(row("jax"), row("tensorflow", NARROW), failed_row("torch"))) == (
        "jax trains net 1.50 times as fast as tensorflow (1.45 to 1.55) (torch failed)."
    )
    assert answer(table(row("jax"), failed_row("tensorflow"), failed_row("torch"))) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with"
        " (tensorflow and torch failed)."
    )
    assert answer(table(row("jax"), row("torch", OPEN, failed="died later"))) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with (torch failed)."
    )


def test_of_a_workload_without_any_measurement_no_time_is_offered():
    assert answer(table(failed_row("jax"), failed_row("torch"))) == (
        "No time of net can be offered (jax and torch failed)."
    )
    assert answer(table(unmeasured_row("jax"))) == "No time of net can be offered."


def test_what_learns_something_else_is_not_offered_and_named():
    odd = row("torch", Estimate(0.50, 0.49, 0.51), parity=DIFFERS)
    assert answer(table(row("jax"), row("tensorflow", NARROW), odd)) == (
        "jax trains net 1.50 times as fast as tensorflow (1.45 to 1.55)"
        " (torch learns something else, see its parity)."
    )
    assert answer(table(row("jax"), row("tensorflow", OPEN), odd)) == (
        "undecided: which backend trains net fastest; against jax, tensorflow takes 1.02 times as"
        " long (0.97 to 1.07), where a difference of 4.9% would have shown"
        " (torch learns something else, see its parity)."
    )


def test_several_that_learn_something_else_are_named_together():
    assert answer(
        table(row("jax"), row("tensorflow", parity=DIFFERS), row("torch", parity=DIFFERS))
    ) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with"
        " (tensorflow and torch learn something else, see its parity)."
    )


def test_a_failure_is_named_before_what_learns_something_else():
    assert answer(table(row("jax"), row("torch", parity=DIFFERS), failed_row("tensorflow"))) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with"
        " (tensorflow failed; torch learns something else, see its parity)."
    )


def test_what_failed_and_learns_something_else_is_named_once():
    failed_later = row("torch", NARROW, failed="died later", parity=DIFFERS)
    assert answer(table(row("jax"), failed_later, failed_row("tensorflow", parity=DIFFERS))) == (
        "jax trains an epoch of net in 57.1 ms; there is nothing to compare it with"
        " (torch and tensorflow failed)."
    )


def test_where_all_learn_something_else_no_time_is_offered():
    odd = table(row("jax", parity=DIFFERS), row("torch", NARROW, parity=DIFFERS))
    assert answer(odd) == (
        "No time of net can be offered (jax and torch learn something else, see its parity)."
    )
    assert ending(run(), [odd]) == (
        "Every epoch is known within ±5% after 0 rounds: no figure to give."
    )


@pytest.mark.parametrize("parity", [EXPLAINED, UNCHECKED], ids=lambda parity: parity.outcome)
def test_what_differs_for_known_reasons_or_was_not_checked_is_offered(parity):
    assert answer(table(row("jax", parity=parity), row("torch", NARROW, parity=parity))) == (
        "jax trains net 1.50 times as fast as torch (1.45 to 1.55)."
    )


def test_an_interval_as_wide_as_the_ratio_is_not_turned_into_a_percentage():
    assert "%" not in answer(table(row("jax"), row("torch", Estimate(1.1, 0.1, 9.0))))


def ending_of(*rows, **changes):
    return ending(run(**changes), [table(*rows)])


def test_a_precise_run_says_how_precise_it_is():
    assert ending_of(row("jax"), row("torch", NARROW), stopped="precise", rounds=7) == (
        "Every ratio is known within ±5% after 7 rounds: the widest interval is ±3.3%."
    )


def test_the_widest_interval_of_all_tables_is_told():
    known = run(stopped="rounds", rounds=1)
    two = [table(row("jax"), row("torch", NARROW)), table(row("jax"), row("torch", WIDE))]
    assert ending(known, two) == (
        "The run ended as asked after 1 round: the widest interval is ±4.8%."
    )


def test_a_spent_budget_says_what_would_narrow_the_interval():
    wide = Estimate(2.0, 1.8, 2.2)
    settings = Settings(budget_seconds=66.0, precision=0.05)
    assert ending_of(
        row("jax"), row("torch", wide), stopped="budget", rounds=4, settings=settings
    ) == (
        "No further round fits the budget of 66 s after 4 rounds: the widest interval is ±10%"
        " (wanted ±5%; a larger --budget narrows it)."
    )


def test_a_budget_spent_on_one_process_each_has_no_interval():
    assert ending_of(row("jax"), row("torch", is_fastest=False), stopped="budget", rounds=1) == (
        "No further round fits the budget of 236 s after 1 round: too few processes for an interval"
        " (wanted ±5%; a larger --budget narrows it)."
    )


def test_an_interrupted_run_says_so_first():
    assert ending_of(row("jax"), row("torch", NARROW), stopped="interrupted", rounds=2) == (
        "INCOMPLETE: the run was interrupted after 2 rounds: the widest interval is ±3.3%."
    )


def test_the_interval_of_what_learns_something_else_is_not_told():
    odd = row("tensorflow", Estimate(0.50, 0.30, 0.70), parity=DIFFERS)
    assert ending_of(row("jax"), row("torch", NARROW), odd, stopped="rounds", rounds=3) == (
        "The run ended as asked after 3 rounds: the widest interval is ±3.3%."
    )


def test_a_failed_run_has_no_ratio_to_give():
    assert ending_of(failed_row("jax"), failed_row("torch"), stopped="failed", rounds=1) == (
        "Every arm failed after 1 round: no figure to give."
    )


def test_one_backend_alone_ends_with_the_interval_of_its_own_time():
    assert ending_of(row("jax"), stopped="rounds", rounds=3) == (
        "The run ended as asked after 3 rounds: the widest interval is ±2.8%."
    )


def test_a_measured_run_is_answered_from_its_own_times():
    known = run(result("torch", *[0.4] * 4), result("jax", *[0.1] * 4))
    assert answer(tables(known)[0]) == (
        "jax trains net 4.00 times as fast as torch (4.00 to 4.00)."
    )


def test_a_measured_run_is_answered_without_the_fastest_that_learns_something_else():
    known = run(
        result("jax", *[0.1] * 4, parity=DIFFERS),
        result("torch", *[0.4] * 4, parity=AGREES),
        result("tensorflow", *[0.8] * 4, parity=EXPLAINED),
    )
    assert answer(tables(known)[0]) == (
        "torch trains net 2.00 times as fast as tensorflow (2.00 to 2.00)"
        " (jax learns something else, see its parity)."
    )


def test_lists_are_written_as_in_a_sentence():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b, and c"


def test_a_prediction_is_told_in_its_own_words():
    measured = run(predicted("jax", 0.001, 0.001, 0.001), predicted("torch", 0.002, 0.002, 0.002))
    (known,) = tables(measured)
    assert answer(known).startswith(
        "jax predicts a batch of net(batch_size=32) 2.00 times as fast as torch"
    )
    alone = run(predicted("numpy", 0.001), stopped="precise")
    assert answer(tables(alone)[0]).startswith(
        "numpy predicts a batch of net(batch_size=32) in 1 ms"
    )
    assert ending(alone, tables(alone)).startswith("Every call is known within")
    odd = run(predicted("jax", 0.001), predicted("torch", 0.002, parity=DIFFERS))
    assert "torch predicts something else, see its parity" in answer(tables(odd)[0])


def test_several_loops_are_compared_each_by_itself_and_on_each_backend():
    (known,) = tables(
        run(
            result("jax", 0.1, 0.1),
            result("torch", 0.5, 0.5),
            result("jax", 0.01, 0.01, loop="fused"),
            result("torch", 0.1, 0.1, loop="fused"),
            result("torch", 0.4, 0.6, loop="batch"),
            result("torch", failure=UNABLE, loop="fit:32"),
        )
    )
    assert answers(known) == [
        "jax by fused trains net fastest of all: 10.00 times as fast as jax by fit"
        " (10.00 to 10.00), which is next.",
        "By fit: jax trains net 5.00 times as fast as torch (5.00 to 5.00).",
        "By fused: jax trains net 10.00 times as fast as torch (10.00 to 10.00).",
        "On jax, compared with fit: fused 10.00 times as fast (10.00 to 10.00).",
        "On torch, compared with fit: fused 5.00 times as fast (5.00 to 5.00), batch undecided"
        " (0.08 to 13.41).",
    ]


def test_one_loop_alone_has_one_answer_that_names_it():
    fused = [result("jax", 0.1, 0.1, loop="fused"), result("torch", 0.5, 0.5, loop="fused")]
    (known,) = tables(run(*fused))
    assert answers(known) == [answer(known)]
    assert answer(known).startswith("jax fused trains net 5.00 times as fast as torch fused")


def test_loops_of_one_backend_without_fit_are_compared_with_each_other():
    (known,) = tables(
        run(result("jax", 0.1, 0.1, loop="batch"), result("jax", 0.01, 0.01, loop="fused"))
    )
    assert answers(known) == [
        "jax by fused trains net fastest of all: 10.00 times as fast as jax by batch"
        " (10.00 to 10.00), which is next."
    ]


def test_of_several_loops_the_bare_network_wins_nothing_and_an_open_race_has_no_winner():
    (known,) = tables(
        run(
            result("jax", 0.1, 0.2, 0.15),
            result("torch", 0.16, 0.11, 0.2),
            result("jax", 0.9, 0.9, 0.9, loop="batch"),
            result("jax", 0.01, 0.01, 0.01, loop="bare"),
        )
    )
    assert answers(known)[0] == (
        "undecided: what trains net fastest of all; it is one of jax by fit and torch by fit."
    )


@pytest.mark.parametrize("busy_cores", [(1.2, 0.9, 1.0), (None, None, None)])
def test_a_busy_machine_marks_the_answer_itself(busy_cores):
    samples = [sample(0.1, other_busy_cores=each) for each in busy_cores]
    measured = run(
        result("jax", *samples),
        result("torch", 0.2, 0.2, 0.2),
        surroundings=replace(QUIET, busy_percent=50.0),
    )
    cores = measured.machine.usable_cores
    percent = 50 if busy_cores[0] is None else round(100 / cores)
    (known,) = tables(measured)
    assert answer(known).endswith(
        f" (measured on a busy machine: other programs used {percent} % of it)."
    )


def test_a_quiet_machine_goes_without_saying():
    quiet = [sample(each, other_busy_cores=0.01) for each in (0.1, 0.1)]
    (known,) = tables(run(result("jax", *quiet), surroundings=replace(QUIET, busy_percent=99.0)))
    assert "busy" not in answer(known)
