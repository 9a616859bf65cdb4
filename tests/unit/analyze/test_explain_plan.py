"""What an explanation measures, and when it gives an arm no further process."""

from dataclasses import replace

import pytest
from builders import arm, failure, in_slices, run

from keras_bench.analyze.explain_plan import MIN_PROCESSES, arms_to_explain, next_round
from keras_bench.analyze.plan import Stop
from keras_bench.records import BACKENDS, ArmResult, Settings

SETTINGS = Settings(precision=0.1, budget_seconds=1000.0)


#: What an arm adds to a round.
ARM_SECONDS = 10.0


def measured(loops: dict[str, list[float]], backend: str = "tensorflow", **changes):
    """Return a run of these loops, each with the steady epochs of its rounds from the first on."""
    fit = arm(backend)

    def samples(epochs: list[float]):
        for place, seconds in enumerate(epochs):
            arms = sum(len(each) > place for each in loops.values())
            yield in_slices(
                seconds, jit_compile=False, round=place + 1, process_seconds=ARM_SECONDS * arms
            )

    results = [
        ArmResult(replace(fit, loop=loop), tuple(samples(epochs))) for loop, epochs in loops.items()
    ]
    return run(*results, **{"settings": SETTINGS} | changes)


def planned(run_, elapsed_seconds: float = 0.0) -> set[str]:
    (group,) = next_round(run_, elapsed_seconds)
    assert len(set(group)) == len(group)
    return {each.loop for each in group}


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_is_tried_with_what_it_can_do(backend: str):
    fit = arm(backend)
    arms = arms_to_explain(fit, ())
    assert arms[0] == fit
    assert len({each.name for each in arms}) == len(set(arms)) == len(arms)
    loops = {each.loop for each in arms}
    assert {"bare", "fused", "batch", "fit:8", "fit:32", "fit jit_compile=True"} <= loops
    assert ("data" in loops) == (backend == "tensorflow")
    assert ("fit jit_compile=False" in loops) == (backend != "jax")
    assert [each.threads for each in arms].count("single") == 1


def test_one_thread_is_no_change_where_there_is_one_already():
    arms = arms_to_explain(arm(threads="single"), ())
    assert len({each.name for each in arms}) == len(arms)
    assert {each.environment.label for each in arms} == {""}


def test_the_first_round_takes_all_but_another_compilation():
    loops = {each.loop: [] for each in arms_to_explain(arm("torch"), ())}
    found = planned(measured(loops, "torch", rounds=0))
    assert found == {"fit", "bare", "fused", "batch", "fit:8", "fit:32"}


def test_what_is_plainly_slower_by_two_processes_gets_no_third():
    once = {"fit": [0.1], "batch": [0.2], "fit:8": [0.05], "bare": [0.3]}
    assert planned(measured(once, rounds=1)) == set(once)
    twice = {loop: times * 2 for loop, times in once.items()}
    assert planned(measured(twice, rounds=2)) == {"fit", "fit:8", "bare"}


def test_the_other_compilation_comes_last():
    loops = {
        "fit": [0.1, 0.1, 0.1], "fused": [0.01] * 3,
        "fit jit_compile=True": [], "fit jit_compile=False": [],
    }  # fmt: skip
    assert planned(measured(loops, rounds=MIN_PROCESSES)) == {"fit", "fit jit_compile=True"}
    early = {**loops, "fit": [0.1], "fused": [0.01]}
    assert planned(measured(early, rounds=1)) == {"fit", "fused"}


def test_it_ends_when_all_is_known():
    known = measured({"fit": [0.1, 0.101, 0.1], "fused": [0.01, 0.0101, 0.01]})
    assert next_round(known, 0.0) == Stop("precise")


def test_it_goes_on_while_a_factor_is_loose():
    known = measured({"fit": [0.1, 0.101, 0.1], "fused": [0.01, 0.02, 0.01]})
    assert planned(known) == {"fit", "fused"}


def test_what_the_machine_does_to_a_whole_round_makes_no_factor_loose():
    known = measured({"fit": [0.1, 0.15, 0.08], "fused": [0.01, 0.015, 0.008]})
    assert next_round(known, 0.0) == Stop("precise")


def test_it_begins_nothing_that_the_budget_is_too_small_for():
    known = measured({"fit": [0.1], "fused": [0.01]}, rounds=1)
    assert planned(known, SETTINGS.budget_seconds - 2.1 * ARM_SECONDS) == {"fit", "fused"}
    assert next_round(known, SETTINGS.budget_seconds - 0.9 * ARM_SECONDS) == Stop("budget")


def test_another_compilation_is_left_where_there_is_no_time_for_it():
    loops = {"fit": [0.1] * 3, "fit jit_compile=True": []}
    known = measured(loops, rounds=MIN_PROCESSES)
    # As dear as what is known.
    assert planned(known, SETTINGS.budget_seconds - 2.1 * ARM_SECONDS) == {*loops}
    assert next_round(known, SETTINGS.budget_seconds - 1.9 * ARM_SECONDS) == Stop("budget")


def test_the_least_measured_come_first_where_not_all_fit():
    loops = {"fit": [0.1, 0.1, 0.1], "fused": [0.01, 0.02, 0.01], "fit jit_compile=True": []}
    known = measured(loops, rounds=MIN_PROCESSES)
    assert planned(known, SETTINGS.budget_seconds - 3.1 * ARM_SECONDS) == {*loops}
    some = planned(known, SETTINGS.budget_seconds - 2.1 * ARM_SECONDS)
    assert some == {"fit", "fit jit_compile=True"}


def test_fit_alone_is_measured_where_everything_else_is_refused():
    known = measured({"fit": [0.1], "fused": []}, rounds=1)
    fit, fused = known.results
    known = replace(known, results=(fit, replace(fused, failure=failure())))
    assert planned(known) == {"fit"}


def test_nothing_is_measured_beside_a_fit_that_fails():
    known = measured({"fit": [], "fused": [0.01]}, rounds=1)
    fit, fused = known.results
    known = replace(known, results=(replace(fit, failure=failure()), fused))
    assert next_round(known, 0.0) == Stop("failed")
