"""What is advised: only what was measured and is surely faster, the best first."""

from dataclasses import replace

import pytest
from builders import DIFFERS, UNABLE, arm, failure, sample

from keras_bench.analyze.advice import advice, tries
from keras_bench.records import ArmResult

FIT = ArmResult(arm(), tuple(map(sample, (0.1, 0.101, 0.099))))


def by(loop: str, *processes: float, **changes) -> ArmResult:
    return ArmResult(replace(FIT.arm, loop=loop), tuple(map(sample, processes)), **changes)


def test_the_best_comes_first_and_what_was_refused_last():
    found = tries(
        [FIT, by("fit:8", 0.05, 0.051, 0.049), by("fused", failure=UNABLE),
         by("batch", 0.02, 0.0201, 0.0199)]
    )  # fmt: skip
    assert [each.name for each in found] == ["batch", "fit:8", "fused"]
    assert [each.refused for each in found] == [None, None, UNABLE.message]
    assert found[0].times_as_fast.value == pytest.approx(5.0, rel=0.01)


def test_what_only_splits_the_epoch_is_no_advice():
    assert tries([FIT, by("bare", 0.01, 0.01), by("data", 0.01, 0.01)]) == ()


def test_what_was_never_measured_is_not_told():
    assert tries([FIT, by("fused")]) == ()


def test_only_what_is_surely_faster_is_advised():
    found = tries(
        [FIT, by("batch", 0.05, 0.051, 0.0495), by("fit:8", 0.098, 0.101, 0.1), by("fused", 0.01),
         by("fit:32", 0.2, 0.21, 0.2)]
    )  # fmt: skip
    said = advice(found)
    assert "batch" in said
    # One process gives no interval, however fast it is.
    assert "fused" not in said
    assert "fit:8" not in said
    assert "fit:32" not in said


@pytest.mark.parametrize("changes", [{"failure": failure()}, {"parity": DIFFERS}])
def test_what_failed_later_or_trains_something_else_is_not_advised_and_told(changes):
    (found,) = tries([FIT, by("fused", 0.01, 0.0101, 0.0099, **changes)])
    assert not found.is_surely_faster
    assert found.refused
    assert "fused" not in advice([found])


def test_nothing_is_advised_where_nothing_is_faster():
    assert advice(tries([FIT, by("batch", 0.2, 0.2, 0.21)])).startswith("Nothing")


def test_another_training_is_told_as_one():
    other = ArmResult(
        replace(FIT.arm, workload="net(batch_size=64)"), tuple(map(sample, (0.02, 0.021, 0.02)))
    )
    (found,) = tries([FIT, other])
    assert found.other_training
    assert "net(batch_size=64)" in advice([found])
    assert "another training" in advice([found])


def test_each_change_has_a_name_of_its_own():
    single = replace(
        FIT.arm, threads="single", environment=replace(FIT.arm.environment, label="one thread")
    )
    found = tries([FIT, ArmResult(single, FIT.samples), by("fit jit_compile=True", 0.1)])
    assert {each.name for each in found} == {"one thread", "jit_compile=True"}


def test_it_pays_once_the_slower_start_is_made_up_for():
    fit = replace(FIT, samples=(sample(0.1),) * 3)
    slow_start = sample(epoch_seconds=(11.01, *[0.01] * 9))
    (found,) = tries([fit, replace(by("fused"), samples=(slow_start,) * 3)])
    # Its first epoch takes 9.91 s more than that of fit, and each further one 0.09 s less.
    assert found.pays_from.epochs == 112
