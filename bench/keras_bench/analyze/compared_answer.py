"""The sentences that say what came of a comparison of two stored runs."""

import math
from datetime import timedelta

from keras_bench.analyze.answer import listed
from keras_bench.analyze.between_runs import LEAST_FREEDOM, apart
from keras_bench.analyze.compared import LEAST_PROCESSES, ArmPair, Comparison
from keras_bench.analyze.conclusion import Conclusion
from keras_bench.analyze.gate_answer import changes
from keras_bench.analyze.numbers import percent, span, times
from keras_bench.records import UNCHECKED, Failure

#: What tells more; without backticks, which a page would show as they are.
INSTEAD = "keras-bench gate measures both in the same rounds"


def conclusion(pair: ArmPair, comparison: Comparison) -> Conclusion:
    """Return what came of a pair, in a word and in a sentence."""
    return Conclusion(pair.workload, pair.contender, pair.outcome, answer(pair, comparison))


def answer(pair: ArmPair, comparison: Comparison) -> str:
    """Say what came of a pair, in one sentence."""
    name = f"{pair.workload} on {pair.contender}"
    if pair.outcome == "missing":
        return f"missing: {name} {_missing(pair)}"
    if pair.outcome == "failed":
        side, failure = _failed_side(pair)
        return f"failed: {name} in the {side}: {failure.message}"
    if pair.outcome == "parity failed":
        same = "training" if pair.sides[0].task == "train" else "prediction"
        odd = [side.parity.summary for side in pair.sides if side.parity.outcome == "differs"]
        return f"parity failed: {name} isn't the same {same} on both sides: {'; '.join(odd)}"
    if pair.ratio is None:
        return f"undecided: {name} has no ratio; {_why(pair, comparison)}"
    if pair.doubt is not None:
        alone = f"{times(pair.ratio)} times as long ({span(pair.ratio)}) by these two runs alone"
        return f"undecided: {name} takes {alone}; {_why(pair, comparison)}"
    assert pair.lasting is not None
    ratio = f"{times(pair.lasting)} times as long ({span(pair.lasting)})"
    said = f"{pair.outcome}: {name} takes {ratio}"
    if pair.outcome == "unchanged":
        return f"{said}, less than {percent(comparison.threshold)} either way"
    if pair.outcome != "undecided":
        return f"{said}, which is more than runs differ by themselves"
    return f"{said}; a change of {visible(pair)} would have shown"


def remarks(pair: ArmPair) -> list[str]:
    """Return what is to be said beside the verdict: the noise, and odd parity."""
    said = []
    if pair.lasting is not None and pair.between is not None:
        said.append(
            f"runs of it differ by {percent(pair.between.deviation)} with nothing changed (the"
            f" standard deviation, with {pair.between.freedom} degrees of freedom from the history)"
        )
    return said + [
        f"parity: {side.parity.summary}"
        for side in pair.sides
        if side.parity.outcome in ("explained", "unchecked")
        and side.parity != UNCHECKED  # Nobody asked for a check.
        and pair.ratio is not None
    ]


def visible(pair: ArmPair) -> str:
    """Write the smallest change that could have been told from none."""
    return "" if math.isinf(pair.visible_change) else percent(pair.visible_change)


def versions(comparison: Comparison) -> str:
    """Say which versions differ: "jax: keras 3.14.0 → 3.15.1"."""
    said: dict[str, dict[str, None]] = {}
    for pair in comparison.pairs:
        if pair.baseline is not None and pair.candidate is not None:
            changed = changes(pair.baseline.environment, pair.candidate.environment)
            said.setdefault(changed, {})[pair.backend] = None
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{listed(list(backends))}: {changed}" for changed, backends in said.items())


def runs(comparison: Comparison) -> str:
    """Say which two runs are compared."""
    before, after = comparison.baseline, comparison.candidate
    return (
        f"baseline: {before.source} ({before.started_utc}), candidate: {after.source}"
        f" ({after.started_utc})"
    )


def worth(comparison: Comparison) -> str:
    """Say why verdicts are missing, and what tells more; nothing where each is given."""
    if comparison.differences:
        return (
            f"No verdict: {', '.join(comparison.differences)}. These ratios compare the machines"
            " as much as the software. How a backend's ratio stands to that of the fastest"
            " carries over better, but a machine needn't slow all backends alike."
        )
    doubts = {pair.doubt for pair in comparison.pairs}
    if not doubts & {"history", "reach"}:
        undecided = any(pair.outcome == "undecided" and not pair.doubt for pair in comparison.pairs)
        return f"{INSTEAD} and sees smaller changes." if undecided else ""
    return (
        "Two runs differ though nothing changed, for the machine does between them, and by how"
        f" much only its history tells: from {LEAST_FREEDOM + 1} runs of the same versions on,"
        " beside the two that are compared, over at least as long as these lie apart."
        f" {INSTEAD}, without a history."
    )


def _missing(pair: ArmPair) -> str:
    if pair.baseline is None:
        return "is in the candidate alone"
    if pair.candidate is None:
        return "is in the baseline alone"
    sides = {"baseline": pair.baseline, "candidate": pair.candidate}
    unmeasured = [name for name, side in sides.items() if not side.process_epoch_seconds]
    return f"wasn't measured in the {' and the '.join(unmeasured)}"


def _failed_side(pair: ArmPair) -> tuple[str, Failure]:
    sides = (("baseline", pair.baseline), ("candidate", pair.candidate))
    return next(
        (name, side.failure)
        for name, side in sides
        if side is not None and side.failure is not None
    )


def _why(pair: ArmPair, comparison: Comparison) -> str:
    """Say why there is no verdict."""
    if pair.doubt == "incomplete":
        runs = (("baseline", comparison.baseline), ("candidate", comparison.candidate))
        cut = [name for name, run in runs if not run.complete]
        return f"the {' and the '.join(cut)} was interrupted; measure again"
    if pair.doubt == "machines":
        return "the machines differ" + _relative(pair)
    if pair.doubt == "examples":
        counts = " and ".join(str(side.examples) for side in pair.sides)
        return f"its data differs: {counts} examples"
    if pair.doubt == "method":
        how = {"turns": "without slices", "slices": "in slices, where an epoch takes longer"}
        methods = " and ".join(how[side.method] for side in pair.sides)
        return f"they were measured in two ways, {methods}; measure the baseline again"
    if pair.doubt == "processes":
        counts = " and ".join(str(len(side.process_epoch_seconds)) for side in pair.sides)
        return f"{LEAST_PROCESSES} processes on each side are the least, and there are {counts}"
    assert pair.between is not None
    if pair.doubt == "history":
        return (
            "how far its runs differ with nothing changed isn't known (repeated runs in the"
            f" history: {pair.between.freedom} of at least {LEAST_FREEDOM})"
        )
    distance = apart(comparison.baseline.started_utc, comparison.candidate.started_utc)
    return (
        f"they lie {_long(distance)} apart, and the history tells how runs differ within"
        f" {_long(pair.between.reach)}"
    )


def _relative(pair: ArmPair) -> str:
    if pair.to_fastest is None:
        return f"; {pair.contender} was the fastest" if pair.fastest == pair.contender else ""
    return (
        f"; against {pair.fastest}, the fastest, {times(pair.to_fastest)} times what it took"
        f" ({span(pair.to_fastest)})"
    )


def _long(time: timedelta) -> str:
    """Write a time as "3.2 days" or "45 minutes"."""
    for seconds, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if time.total_seconds() >= 2 * seconds:
            return f"{time.total_seconds() / seconds:.3g} {name}"
    return f"{time.total_seconds():.0f} seconds"
