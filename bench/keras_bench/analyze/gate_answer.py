"""What a pair's judgement is called, and the sentences that say it."""

import math

from keras_bench.analyze.answer import listed, weather_sentence
from keras_bench.analyze.conclusion import Conclusion, Outcome
from keras_bench.analyze.numbers import percent, span, times
from keras_bench.analyze.pairs import Pair
from keras_bench.analyze.slices import grouped
from keras_bench.records import UNCHECKED, Environment, Gate


def outcome(pair: Pair) -> Outcome:
    """Return what came of a pair: a side that failed or learns something else has no verdict."""
    if pair.failed:
        return "failed"
    return "parity failed" if pair.differs else pair.judgement.verdict


def answer(pair: Pair, threshold: float) -> str:
    """Say what came of a pair, in one sentence."""
    arm = pair.baseline.arm
    name = f"{arm.workload} on {arm.contender}"
    found = outcome(pair)
    if found == "failed":
        causes = [
            f"{side.arm.environment.label}: {side.failure.message.removeprefix(f'{name}: ')}"
            for side in pair.sides
            if side.failure is not None
        ]
        return f"failed: {name}, {'; '.join(causes)}"
    if found == "parity failed":
        odd = [side.parity.summary for side in pair.sides if side.parity.outcome == "differs"]
        return f"parity failed: {name}: {'; '.join(odd)}"
    load = f" ({pair.load_remark})" if pair.load_remark else ""
    return f"{found}: {name} {_ratio(pair)}{_why(pair, threshold)}{load}"


def conclusion(pair: Pair, threshold: float) -> Conclusion:
    """Return what came of a pair, in a word and in a sentence.

    One whose parity a fault has left unchecked has failed, whatever its times say, unless it has
    regressed.
    """
    arm, found, said = pair.baseline.arm, outcome(pair), answer(pair, threshold)
    unchecked = [side.parity.summary for side in pair.sides if side.parity.exit_code]
    if unchecked and found not in ("failed", "parity failed", "regressed"):
        found, said = "failed", f"{said}; {'; '.join(dict.fromkeys(unchecked))}"
    return Conclusion(arm.workload, arm.contender, found, said)


def ending(gate: Gate) -> str:
    """Say why the gate ended where it did."""
    reasons = {
        "decided": "All is decided that can be",
        "budget": f"No further look fits the budget of {gate.settings.budget_seconds:g} s",
        "failed": "Every pair has a side that failed",
        "parity": "The two sides don't train the same",
        "interrupted": "INCOMPLETE: the gate was interrupted",
    }
    rounds = "1 round" if gate.rounds == 1 else f"{gate.rounds} rounds"
    sentence = f"{reasons[gate.stopped]} after {rounds} and {gate.elapsed_seconds:.0f} s."
    weather = weather_sentence(grouped(gate.results, lambda arm: arm.group))
    return " ".join(filter(None, (sentence, weather)))


def changes(before: Environment, after: Environment) -> str:
    """Say how two environments differ: "keras 3.14.0 → 3.15.1, numpy 2.3.0 → 2.4.6"."""
    old, new = _versions(before), _versions(after)
    said = [
        f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
        for name in sorted(old | new, key=str.lower)
        if old.get(name) != new.get(name)
    ]
    return ", ".join(said) or "the same versions on both sides"


def _versions(environment: Environment) -> dict[str, str | None]:
    told = {name: environment.version_text(name) for name, _ in environment.packages}
    return {**told, "Python": environment.python_version}


def remarks(pair: Pair) -> list[str]:
    """Return what is to be said beside the verdict: rounds left out, and odd parity."""
    reasons = dict.fromkeys(each.reason for each in pair.left_out)
    said = []
    for reason in reasons:
        rounds = [str(each.round) for each in pair.left_out if each.reason == reason]
        noun = "round" if len(rounds) == 1 else "rounds"
        said.append(f"{noun} {listed(rounds)} left out: {reason}")
    return said + [
        f"parity: {side.parity.summary}"
        for side in pair.sides
        if side.parity.outcome in ("explained", "unchecked")
        and side.parity != UNCHECKED  # Nobody asked for a check.
        and not pair.failed
    ]


def visible(pair: Pair) -> str:
    """Write the smallest change that a pair's rounds could have told from none."""
    change = pair.judgement.visible_change
    return "" if math.isinf(change) else percent(change)


def _ratio(pair: Pair) -> str:
    ratio = pair.judgement.ratio
    if ratio is None:
        if pair.judgement.rounds == 0:
            return "has no round that counts"
        return "has one round that counts, and a ratio needs two"
    much = "times as long" if pair.clock == "wall" else "times the CPU time"
    if ratio.low is None:
        return f"takes {times(ratio)} {much}, after too few rounds for an interval"
    return f"takes {times(ratio)} {much} ({span(ratio)})"


def _why(pair: Pair, threshold: float) -> str:
    judgement = pair.judgement
    if judgement.verdict == "unchanged":
        said = f", less than {percent(threshold)} either way"
        if judgement.confirming:
            said += f"; what looked {judgement.confirming} at first was not confirmed"
        return said
    if judgement.verdict != "undecided":
        return f", confirmed by {judgement.confirming_rounds} rounds of fresh processes"
    said = f"; a change of {visible(pair)} would have shown" if visible(pair) else ""
    if judgement.contrary:
        return f"{said}; it looked {judgement.confirming} first, and then the contrary"
    if judgement.confirming:
        rounds = judgement.confirming_rounds
        did = f"{'the one' if rounds == 1 else f'the {rounds}'} since tell too little"
        return (
            f"{said}; it looked {judgement.confirming}, which counts once rounds of fresh processes"
            f" show it again, and {did if rounds else 'there were none'}"
        )
    return f"{said}; more rounds than it has had tell no more" if judgement.final else said
