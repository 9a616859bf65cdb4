"""What makes a training faster, as far as it was measured beside `fit` just now."""

from collections.abc import Sequence
from dataclasses import dataclass

from keras_bench.analyze.answer import listed
from keras_bench.analyze.break_even import BreakEven, break_even
from keras_bench.analyze.explain_plan import SPLITTING_LOOPS
from keras_bench.analyze.numbers import span, times
from keras_bench.analyze.ratios import process_times, ratio_of
from keras_bench.analyze.stats import Estimate
from keras_bench.records import JIT_LOOPS, Arm, ArmResult


@dataclass(frozen=True)
class Try:
    """One change of a training by `fit`: how many times as fast it is, or why that isn't known.

    `pays_from` says from how many epochs on it takes less time in all, with its first epoch; it is
    None where it doesn't. `other_training` tells that it doesn't learn the same.
    """

    name: str
    times_as_fast: Estimate | None
    first_epoch_seconds: float | None
    pays_from: BreakEven | None
    other_training: bool
    refused: str | None

    @property
    def is_surely_faster(self) -> bool:
        """Whether it is advised: it never failed, and its interval lies above 1."""
        found = self.times_as_fast
        return found is not None and found.is_above_one and self.refused is None


def tries(results: Sequence[ArmResult]) -> tuple[Try, ...]:
    """Return what was tried beside `fit`, which comes first among the results: the best first.

    Behind them is what couldn't be measured.
    """
    fit, *others = results
    found = [_try(each, fit) for each in others if _was_tried(each)]
    return tuple(sorted(found, key=_rank))


def advice(found: Sequence[Try]) -> str:
    """Say what is surely faster, the best first."""
    surely = [each for each in found if each.is_surely_faster]
    if not surely:
        return "Nothing that was tried is surely faster than fit as it is."
    return f"Faster than fit as it is, measured now: {listed([_said(each) for each in surely])}."


def name_of(arm: Arm, fit: Arm) -> str:
    """Return what of the user's a try changes, in a word."""
    if arm.workload != fit.workload:
        return arm.workload
    if arm.threads != fit.threads:
        return "one thread"
    return arm.loop.removeprefix("fit ") if arm.loop in JIT_LOOPS else arm.loop


def _was_tried(result: ArmResult) -> bool:
    measured = result.samples or result.failure
    return bool(measured) and result.arm.loop not in SPLITTING_LOOPS


def _try(result: ArmResult, fit: ArmResult) -> Try:
    name, other = name_of(result.arm, fit.arm), result.arm.workload != fit.arm.workload
    message = None if result.failure is None else result.failure.message
    if result.parity.outcome == "differs":
        message = result.parity.summary
    if not result.samples or not fit.samples:
        return Try(name, None, None, None, other, message)
    times, of_fit = map(process_times, (result.samples, fit.samples))
    firsts = sorted(sample.epoch_seconds[0] for sample in result.samples)
    return Try(
        name,
        ratio_of(of_fit, times),
        firsts[len(firsts) // 2],
        break_even(result, fit),
        other,
        message,
    )


def _rank(found: Try) -> tuple[bool, float]:
    value = found.times_as_fast
    return value is None, 0.0 if value is None else -value.value


def _said(found: Try) -> str:
    assert found.times_as_fast is not None
    remark = ", which is another training" if found.other_training else ""
    return f"{found.name} {times(found.times_as_fast)} times ({span(found.times_as_fast)}){remark}"
