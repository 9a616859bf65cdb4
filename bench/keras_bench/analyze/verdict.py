"""Whether a candidate is slower than its baseline: decided at a look, or not yet.

The threshold is the slowdown that must not be missed. A verdict is read off the repeated
interval of the ratio, and a change is said only when processes started after it first showed
show it again, by an interval of their own. So with a true ratio of 1, two independent intervals
must miss it on the same side for a false alarm, which happens in at most 0.025² of comparisons:
sixteen of them in one gate stay below 1 %. With a true ratio of 1 + threshold, either of the two
must miss it on the other side for the slowdown to be missed: at most 5 %. In between lies an
indifference zone, where either may be said (A. Wald, Sequential Tests of Statistical Hypotheses,
Annals of Mathematical Statistics 16, 1945, 117-186).

That holds for rounds that are independent of each other and whose noise is normal. By simulation
it holds as well with heavy tails, with rounds that stall, and where the processes of both sides
have two speeds. It isn't sure to where those of one side alone have two, for as many of the same
speed in a row as the first look needs pass for the whole truth. With half of the processes each
and the speeds no further apart than the threshold, slowdowns of the threshold are missed in 3 to
5 %; where the slow ones are a fifth, in up to 45 %. False alarms stay below 1 % while the speeds
are at most twice the threshold apart, and reach 5 % where they are four times as much.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from keras_bench.analyze.sequential import LOOKS, repeated_interval
from keras_bench.analyze.stats import Estimate

Verdict = Literal["improved", "regressed", "unchanged", "undecided"]


@dataclass(frozen=True)
class Judgement:
    """What the rounds so far say; no further round is wanted once it is `final`.

    `ratio` is that of the latest look: at the rounds since a change first showed, which is
    `confirming`, once there are enough of them. Before any look it is without an interval, and
    None without two rounds. `rounds` are those until the verdict, or so far, `confirming_rounds`
    those of them since, and `contrary` tells that these showed the contrary.
    """

    verdict: Verdict
    final: bool
    ratio: Estimate | None
    rounds: int
    confirming: Verdict | None = None
    confirming_rounds: int = 0
    contrary: bool = False

    @property
    def rounds_to_next_look(self) -> int:
        """How many further rounds the next look needs; only while it isn't final."""
        since = self.confirming_rounds if self.confirming else self.rounds
        return next(look for look in LOOKS if look > since) - since

    @property
    def visible_change(self) -> float:
        """The smallest change that these rounds could have told from none; maybe infinite.

        Were the threshold as large as the interval is wide, no place of the interval would
        leave it undecided.
        """
        if self.ratio is None or self.ratio.low is None or self.ratio.high is None:
            return math.inf
        return self.ratio.high / self.ratio.low - 1


def judge(log_ratios: Sequence[float], threshold: float) -> Judgement:
    """Return what the looks at the rounds so far come to.

    Args:
        log_ratios: one per round, log(candidate seconds ÷ baseline seconds).
        threshold: the slowdown that must not be missed, as a share: 0.05.
    """
    first = _look(log_ratios, threshold)
    if first.verdict in ("unchanged", "undecided"):
        rounds = first.rounds if first.last else len(log_ratios)
        return Judgement(first.verdict, first.last, first.ratio, rounds)
    second = _look(log_ratios[first.rounds :], threshold)
    rounds = first.rounds + second.rounds if second.last else len(log_ratios)
    ratio = first.ratio if second.rounds == 0 else second.ratio
    # Slower at first and then faster, or the reverse: no ratio could say both.
    contrary = second.verdict not in (first.verdict, "unchanged", "undecided")
    return Judgement(
        "undecided" if contrary else second.verdict,
        second.last,
        ratio,
        rounds,
        first.verdict,
        rounds - first.rounds,
        contrary,
    )


@dataclass(frozen=True)
class _Look:
    """The look that decided, or the latest one; `last` if none comes after it."""

    verdict: Verdict
    last: bool
    ratio: Estimate | None
    rounds: int


def _look(log_ratios: Sequence[float], threshold: float) -> _Look:
    mean = math.exp(fmean(log_ratios)) if len(log_ratios) > 1 else None
    latest = _Look("undecided", False, None if mean is None else Estimate(mean), 0)
    for rounds in LOOKS:
        if rounds > len(log_ratios):
            break
        ratio = repeated_interval(log_ratios[:rounds])
        verdict = read_off(ratio, threshold)
        latest = _Look(verdict, verdict != "undecided" or rounds == LOOKS[-1], ratio, rounds)
        if latest.last:
            break
    return latest


def read_off(ratio: Estimate, threshold: float) -> Verdict:
    """Return what an interval alone says.

    A change is one that is surely there and, going by the estimate, nearer to the threshold
    than to none. One that is surely smaller than the threshold is none, even if surely there.
    """
    if ratio.low is None or ratio.high is None:
        return "undecided"
    most = 1 + threshold
    if 1 / most < ratio.low and ratio.high < most:
        return "unchanged"
    if ratio.is_above_one and ratio.value >= math.sqrt(most):
        return "regressed"
    if ratio.is_below_one and ratio.value <= 1 / math.sqrt(most):
        return "improved"
    return "undecided"
