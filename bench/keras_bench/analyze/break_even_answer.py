"""The sentence that says from how many epochs on a backend is the quicker one in all."""

from keras_bench.analyze.break_even import BreakEven, break_evens
from keras_bench.analyze.comparison import Table
from keras_bench.analyze.numbers import whole
from keras_bench.records import DEFAULT_LOOPS, FLOOR_LOOP, Run


def loops_answers(run: Run, table: Table) -> list[str]:
    """Say of each loop whose epoch is faster than that of `fit` from when on it pays."""
    arms = {row.arm for row in table.rows}
    found = break_evens([each for each in run.results if each.arm in arms])
    return [
        f"On {each.faster.backend}, {_sentence(each, each.faster.loop, each.slower.loop)}"
        for each in found
        if each.slower.loop in DEFAULT_LOOPS.values()
        and each.faster.loop not in (FLOOR_LOOP, each.slower.loop)
    ]


def answer(found: BreakEven) -> str:
    """Say from how many epochs on the arm with the faster epoch is quicker in all."""
    return _sentence(found, found.faster.contender, found.slower.contender)


def _sentence(found: BreakEven, faster: str, slower: str) -> str:
    who = f"{faster} takes less time than {slower} in all"
    if found.high == 1:
        return f"{who}, however short the training."
    said = f"{who} from {_epochs(found.epochs)} on"
    if found.low is None:
        return f"{said}, its start known of one process, which gives no interval."
    if found.high is None:
        return f"{said}, but undecided for long trainings: their epochs are too much alike."
    return f"{said} ({whole(found.low)} to {whole(found.high)})."


def _epochs(number: int) -> str:
    return "the first epoch" if number == 1 else f"{whole(number)} epochs"
