"""The pairs of a gate: what is compared with what, and what their rounds come to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from keras_bench.analyze.clocks import clock_of
from keras_bench.analyze.load import load_remark_on
from keras_bench.analyze.stats import Estimate, centre
from keras_bench.analyze.steady import process_epoch, process_epochs_by, steady
from keras_bench.analyze.verdict import Judgement, judge
from keras_bench.records import Arm, ArmResult, Clock, Gate, Sample


@dataclass(frozen=True)
class LeftOut:
    """A round that doesn't count, and why."""

    round: int
    reason: str


@dataclass(frozen=True)
class Pair:
    """One workload on one backend: both sides, the rounds that count, and the judgement.

    The epochs are None for a side without a sample. `clock` is the one that counts. `load_remark`
    says that the machine was busy, where it was.
    """

    baseline: ArmResult
    candidate: ArmResult
    baseline_epoch: Estimate | None
    candidate_epoch: Estimate | None
    left_out: tuple[LeftOut, ...]
    judgement: Judgement
    clock: Clock
    load_remark: str = ""

    @property
    def sides(self) -> tuple[ArmResult, ArmResult]:
        """The baseline and the candidate."""
        return self.baseline, self.candidate

    @property
    def failed(self) -> bool:
        """Whether a side failed, so that the pair gets no further round."""
        return any(side.failure is not None for side in self.sides)

    @property
    def differs(self) -> bool:
        """Whether a side learns something else, so that their times say nothing."""
        return any(side.parity.outcome == "differs" for side in self.sides)

    @property
    def wanted(self) -> bool:
        """Whether a further round could tell more."""
        return all(map(is_sound, self.sides)) and not self.judgement.final


def pairs(gate: Gate) -> tuple[Pair, ...]:
    """Return the pairs of a gate in the order in which it holds them.

    Every arm is the candidate to the last one before it that could be measured.
    """
    groups: dict[tuple[str, str], list[ArmResult]] = {}
    for each in gate.results:
        groups.setdefault(each.arm.group, []).append(each)
    return tuple(
        _pair(_baseline(group[:place]), group[place], gate)
        for group in groups.values()
        for place in range(1, len(group))
    )


def that_count(gate: Gate) -> tuple[ArmResult, ...]:
    """Return the results without the samples of rounds that don't count in any of their pairs."""
    left_out: dict[Arm, set[int]] = {each.arm: set() for each in gate.results}
    for pair in pairs(gate):
        for side in pair.sides:
            left_out[side.arm] |= {each.round for each in pair.left_out}
    return tuple(
        replace(
            each,
            samples=tuple(s for s in each.samples if s.round not in left_out[each.arm]),
        )
        for each in gate.results
    )


def is_sound(result: ArmResult) -> bool:
    """Tell whether an arm hasn't failed, and learns what it should as far as is known."""
    return result.failure is None and result.parity.outcome != "differs"


def _baseline(before: Sequence[ArmResult]) -> ArmResult:
    return next((each for each in reversed(before) if is_sound(each)), before[-1])


def _pair(baseline: ArmResult, candidate: ArmResult, gate: Gate) -> Pair:
    clock = clock_of(gate.settings.metric, baseline.arm.backend)
    rounds, left_out = rounds_that_count(baseline.samples, candidate.samples, clock)
    return Pair(
        baseline,
        candidate,
        _centre([before for before, _ in rounds], clock),
        _centre([after for _, after in rounds], clock),
        left_out,
        judge([log_ratio(*each, clock) for each in rounds], gate.settings.threshold),
        clock,
        load_remark_on(gate, (baseline, candidate)),
    )


def rounds_that_count(
    baseline: Sequence[Sample], candidate: Sequence[Sample], clock: Clock
) -> tuple[list[tuple[Sample, Sample]], tuple[LeftOut, ...]]:
    """Return both samples of each round that counts, and the rounds that don't."""
    rounds = _complete_rounds(baseline, candidate)
    left_out = _left_out(rounds, clock)
    numbers = {each.round for each in left_out}
    return [each for each in rounds if each[0].round not in numbers], left_out


def _complete_rounds(
    baseline: Sequence[Sample], candidate: Sequence[Sample]
) -> list[tuple[Sample, Sample]]:
    after = {sample.round: sample for sample in candidate}
    return [(sample, after[sample.round]) for sample in baseline if sample.round in after]


def _left_out(rounds: Sequence[tuple[Sample, Sample]], clock: Clock) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(before.round, "the clock jumped")
        for before, after in rounds
        if any(clock_jumped(side, clock) for side in (before, after))
    )


def clock_jumped(sample: Sample, clock: Clock) -> bool:
    """Tell whether epochs took no time, or more than their whole process by another clock."""
    seconds = sample.epoch_seconds if clock == "wall" else sample.epoch_cpu_seconds
    return min(seconds) <= 0 or sum(sample.epoch_seconds) > sample.process_seconds


def log_ratio(before: Sample, after: Sample, clock: Clock) -> float:
    """Return log(candidate ÷ baseline) of a round.

    In slices both were measured over the same stretch of time. Sides that took turns, as in
    results from before, are compared by the trimmed mean over pairs of epochs: those of one number
    were trained next to each other, and one that stalled is trimmed away.
    """
    if before.method == after.method == "slices":
        return math.log(process_epoch(after, clock) / process_epoch(before, clock))
    pairs = zip(steady(after, clock), steady(before, clock), strict=True)
    return math.log(centre([after / before for after, before in pairs]).value)


def _centre(samples: Sequence[Sample], clock: Clock) -> Estimate | None:
    return centre(process_epochs_by(clock, samples)) if samples else None
