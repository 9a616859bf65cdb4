"""Titles of pages: the question that a page answers, and the names of the compared arms."""

from collections.abc import Iterable, Sequence

from keras_bench.analyze.answer import listed
from keras_bench.analyze.words import WORDS
from keras_bench.records import Arm

#: More names than these are counted.
MOST_NAMES = 3


def run_title(arms: Sequence[Arm]) -> str:
    """Return the title of a run."""
    does = WORDS[arms[0].task].does
    return f"Which backend {does} {_workloads(arms)} fastest: {_contenders(arms)}"


def gate_title(arms: Sequence[Arm]) -> str:
    """Return the title of a gate."""
    return f"Is the candidate slower? {_workloads(arms)} on {_contenders(arms)}"


def sweep_title(arms: Sequence[Arm]) -> str:
    """Return the title of a sweep over versions."""
    labels = list(dict.fromkeys(arm.environment.label for arm in arms))
    versions = f"{labels[0]} to {labels[-1]}" if len(labels) > MOST_NAMES else listed(labels)
    return f"Which version trains {_workloads(arms)} fastest on {_contenders(arms)}: {versions}"


def side_by_side_title(arms: Sequence[Arm]) -> str:
    """Return the title of several measurements."""
    return f"{_workloads(arms)}, measured several times"


def _workloads(arms: Sequence[Arm]) -> str:
    return _named((arm.workload for arm in arms), "workloads")


def _contenders(arms: Sequence[Arm]) -> str:
    return _named(sorted(arm.contender for arm in arms), "arms")


def _named(names: Iterable[str], what: str) -> str:
    told = list(dict.fromkeys(names))
    return listed(told) if len(told) <= MOST_NAMES else f"{len(told)} {what}"
