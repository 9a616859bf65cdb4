"""Two stored runs compared, arm by arm: a verdict where there is one to give, or the doubt.

A verdict is read off the interval that holds the noise between runs (`between_runs`), by the rule
of the gate (`verdict`). Without a history that tells of this noise there is none, however sure
the two runs look: a plain comparison of two runs calls one unchanged pair in five a regression.
No default would do instead, for a laptop that saves power doubles every time, and a pinned core
keeps them within a percent.

The intervals of one comparison hold together: an arm's has its share of the 5 % (the union bound,
as in `sequential`), because one exit code stands for them all. So a comparison of unchanged runs
says that one regressed in at most 2.5 of 100, whatever the number of arms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import scipy

from keras_bench.analyze.between_runs import Noise, apart, arm_rows, lasting, noise
from keras_bench.analyze.conclusion import Outcome
from keras_bench.analyze.history import HistoryRow
from keras_bench.analyze.measured import MeasuredArm, MeasuredRun
from keras_bench.analyze.stats import (
    CONFIDENCE_LEVEL,
    Difference,
    Estimate,
    centre,
    difference,
    ratio,
)
from keras_bench.analyze.verdict import read_off
from keras_bench.errors import MachinesDiffer, NothingMeasured
from keras_bench.records import Machine

#: Of fewer processes on a side, trimming and t say nothing.
LEAST_PROCESSES = 3

#: Why there is no verdict on an arm that both runs measured.
Doubt = Literal["incomplete", "machines", "examples", "method", "processes", "history", "reach"]


@dataclass(frozen=True)
class ArmPair:
    """One arm in both runs; a side is None where its run doesn't have the arm.

    `ratio` has the interval that the two runs tell by themselves, and `lasting` the one that holds
    the noise between runs as well. `to_fastest` is the ratio ÷ that of the backend that was the
    fastest in the baseline, which is `fastest`. Each is None where it can't be told.
    """

    workload: str
    backend: str
    baseline: MeasuredArm | None
    candidate: MeasuredArm | None
    outcome: Outcome
    doubt: Doubt | None = None
    ratio: Estimate | None = None
    between: Noise | None = None
    lasting: Estimate | None = None
    to_fastest: Estimate | None = None
    fastest: str | None = None

    @property
    def sides(self) -> tuple[MeasuredArm, ...]:
        """The baseline and the candidate, without the one that is missing."""
        return tuple(side for side in (self.baseline, self.candidate) if side is not None)

    @property
    def contender(self) -> str:
        """What tells it from the other arms of its workload."""
        return self.sides[0].contender

    @property
    def visible_change(self) -> float:
        """The smallest change that could have been told from none; maybe infinite."""
        if self.lasting is None or self.lasting.low is None or self.lasting.high is None:
            return math.inf
        return self.lasting.high / self.lasting.low - 1


@dataclass(frozen=True)
class Comparison:
    """Two runs, and their arms in the order of the baseline, then what the candidate alone has.

    `differences` says what differs between the machines and thread policies, if anything.
    """

    baseline: MeasuredRun
    candidate: MeasuredRun
    threshold: float
    differences: tuple[str, ...]
    pairs: tuple[ArmPair, ...]


def compare(
    baseline: MeasuredRun,
    candidate: MeasuredRun,
    history: Sequence[HistoryRow],
    threshold: float,
) -> Comparison:
    """Compare two runs of one machine, with the history that tells how far its runs differ.

    Raises:
        MachinesDiffer: they are of different machines or thread policies.
        NothingMeasured: they are the same run, or have no arm in common.
    """
    if found := differences(baseline, candidate):
        raise MachinesDiffer(
            f"{baseline.source} and {candidate.source}",
            f"were measured on different machines or thread policies ({', '.join(found)})",
            "measure both on one machine with the same --threads, or show them side by side with"
            " --across-machines",
        )
    pairs = [
        _with_noise(each, baseline, candidate, history)
        for each in _matched(baseline, candidate, threads_matter=True)
    ]
    decidable = [each for each in pairs if each.outcome == "undecided" and each.doubt is None]
    each_side = (1 - CONFIDENCE_LEVEL) / 2 / max(len(decidable), 1)
    return Comparison(
        baseline,
        candidate,
        threshold,
        (),
        tuple(_judged(each, each_side, threshold) for each in pairs),
    )


def compare_across_machines(
    baseline: MeasuredRun, candidate: MeasuredRun, threshold: float
) -> Comparison:
    """Put two runs of different machines or thread policies side by side, without a verdict.

    Raises:
        NothingMeasured: they are the same run, or have no arm in common.
    """
    pairs = _matched(baseline, candidate, threads_matter=False)
    return Comparison(
        baseline,
        candidate,
        threshold,
        differences(baseline, candidate),
        tuple(_across(each, pairs) for each in pairs),
    )


def differences(baseline: MeasuredRun, candidate: MeasuredRun) -> tuple[str, ...]:
    """Say what differs between two runs' machines and thread policies: "threads default → 1"."""
    before, after = baseline.machine, candidate.machine
    found = []
    if before.fingerprint != after.fingerprint:
        names = [field.name for field in fields(Machine) if field.name != "fingerprint"]
        facts = [(name, getattr(before, name), getattr(after, name)) for name in names]
        differing = [each for each in facts if each[1] != each[2]]
        found = [
            f"{name.replace('_', ' ')} {old} → {new}"
            for name, old, new in differing
            or [("fingerprint", before.fingerprint, after.fingerprint)]
        ]
    if baseline.threads != candidate.threads:
        found.append(f"threads {baseline.threads} → {candidate.threads}")
    return tuple(found)


def _matched(
    baseline: MeasuredRun, candidate: MeasuredRun, *, threads_matter: bool
) -> list[ArmPair]:
    """Return the arms of both runs, with what can be said without a history."""
    if (baseline.started_utc, baseline.machine) == (candidate.started_utc, candidate.machine):
        raise NothingMeasured(
            f"{baseline.source} and {candidate.source}",
            f"are the same run, of {baseline.started_utc}",
            "name two runs",
        )

    def key(arm: MeasuredArm) -> tuple[str, ...]:
        arm_key = arm.workload, arm.backend, arm.task, arm.loop
        return (*arm_key, arm.threads) if threads_matter else arm_key

    before = {key(arm): arm for arm in baseline.arms}
    after = {key(arm): arm for arm in candidate.arms}
    if not before.keys() & after.keys():
        raise NothingMeasured(
            f"{baseline.source} and {candidate.source}",
            f"have no arm in common ({_held(baseline)}; {_held(candidate)})",
            "measure the same workloads and backends in both",
        )
    complete = baseline.complete and candidate.complete
    return [_pair(before.get(each), after.get(each), complete) for each in before | after]


def _held(run: MeasuredRun) -> str:
    return ", ".join(f"{arm.workload} on {arm.contender}" for arm in run.arms) or "none at all"


def _pair(before: MeasuredArm | None, after: MeasuredArm | None, complete: bool) -> ArmPair:
    known = before or after
    assert known is not None
    pair = ArmPair(known.workload, known.backend, before, after, "missing")
    if any(side.failure is not None for side in pair.sides):
        return replace(pair, outcome="failed")
    if before is None or after is None:
        return pair
    if not (before.process_epoch_seconds and after.process_epoch_seconds):
        return pair
    if any(side.parity.outcome == "differs" for side in pair.sides):
        return replace(pair, outcome="parity failed")
    return replace(
        pair,
        outcome="undecided",
        doubt=_doubt(before, after, complete),
        ratio=ratio(after.process_epoch_seconds, before.process_epoch_seconds),
    )


def _doubt(before: MeasuredArm, after: MeasuredArm, complete: bool) -> Doubt | None:
    if not complete:
        return "incomplete"
    if before.examples != after.examples:
        return "examples"
    if before.method != after.method:
        return "method"
    fewest = min(len(side.process_epoch_seconds) for side in (before, after))
    return "processes" if fewest < LEAST_PROCESSES else None


def _with_noise(
    pair: ArmPair, baseline: MeasuredRun, candidate: MeasuredRun, history: Sequence[HistoryRow]
) -> ArmPair:
    """Add how far runs of the arm differ, and the doubt where that isn't known."""
    if pair.baseline is None or pair.outcome != "undecided" or pair.doubt is not None:
        return pair
    rows = arm_rows(
        history,
        fingerprint=baseline.machine.fingerprint,
        workload=pair.workload,
        backend=pair.backend,
        threads=pair.baseline.threads,
        task=pair.baseline.task,
        loop=pair.baseline.loop,
        method=pair.baseline.method,
        without=(baseline.started_utc, candidate.started_utc),
    )
    between = noise(rows)
    pair = replace(pair, between=between)
    if not between.is_known:
        return replace(pair, doubt="history")
    if between.reach < apart(baseline.started_utc, candidate.started_utc):
        return replace(pair, doubt="reach")
    return pair


def _judged(pair: ArmPair, each_side: float, threshold: float) -> ArmPair:
    if pair.between is None or pair.doubt is not None:
        return pair
    found = lasting(_difference(pair), pair.between, each_side)
    return replace(pair, lasting=found, outcome=read_off(found, threshold))


def _across(pair: ArmPair, pairs: Sequence[ArmPair]) -> ArmPair:
    """Leave a pair undecided, and say how its ratio compares with that of the fastest backend."""
    if pair.outcome != "undecided":
        return pair
    doubted = replace(pair, doubt=pair.doubt or "machines")
    rivals = [
        each
        for each in pairs
        if each.workload == pair.workload and each.outcome == "undecided" and each.baseline
    ]
    fastest = min(rivals, key=_baseline_seconds)
    if fastest is pair:
        return replace(doubted, fastest=pair.contender)
    return replace(doubted, fastest=fastest.contender, to_fastest=_relative(pair, fastest))


def _baseline_seconds(pair: ArmPair) -> float:
    assert pair.baseline is not None
    return centre(pair.baseline.process_epoch_seconds).value


def _difference(pair: ArmPair) -> Difference:
    assert pair.baseline is not None
    assert pair.candidate is not None
    return difference(pair.candidate.process_epoch_seconds, pair.baseline.process_epoch_seconds)


def _relative(pair: ArmPair, fastest: ArmPair) -> Estimate | None:
    """Return a pair's ratio ÷ that of another, by Welch's rule for four samples.

    None where a side is a single process.
    """
    found = [_difference(each) for each in (pair, fastest)]
    log = found[0].log - found[1].log
    error = math.hypot(*(each.error for each in found))
    if math.isinf(error):
        return None
    if error == 0:
        return Estimate(math.exp(log), math.exp(log), math.exp(log))
    freedom = error**4 / sum(each.error**4 / each.freedom for each in found)
    margin = float(scipy.stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, freedom)) * error
    return Estimate(math.exp(log), math.exp(log - margin), math.exp(log + margin))
