"""What comes of two times compared, whichever command compares them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from keras_bench.analyze.verdict import Verdict
from keras_bench.errors import ParityFailed, Regressed, Undecided
from keras_bench.records import Failure

#: A verdict, or why there is none.
Outcome = Verdict | Literal["failed", "parity failed", "missing"]


@dataclass(frozen=True)
class Conclusion:
    """What came of one contender with one workload, in a word and in a sentence."""

    workload: str
    contender: str
    outcome: Outcome
    sentence: str


def exit_code_of(
    outcomes: Collection[Outcome], failures: Sequence[Failure], undecided_fails: bool
) -> int:
    """Return what the shell is told: a regression before a failed parity, and so on."""
    if "regressed" in outcomes:
        return Regressed.exit_code
    if "parity failed" in outcomes:
        return ParityFailed.exit_code
    if failures:
        return failures[0].exit_code
    return Undecided.exit_code if undecided_fails and "undecided" in outcomes else 0
