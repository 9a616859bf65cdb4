"""The sentence that says from how many epochs on a backend is the quicker one in all."""

from bench.analyze.break_even import BreakEven


def answer(found: BreakEven) -> str:
    """Say from how many epochs on the arm with the faster epoch is quicker in all."""
    who = f"{found.faster.contender} takes less time than {found.slower.contender} in all"
    if found.high == 1:
        return f"{who}, however short the training."
    said = f"{who} from {_epochs(found.epochs)} on"
    if found.low is None:
        return f"{said}, by one process, which gives no interval."
    if found.high is None:
        return f"{said}, but undecided for long trainings: their epochs are too much alike."
    return f"{said} ({found.low:,} to {found.high:,})."


def _epochs(number: int) -> str:
    return "the first epoch" if number == 1 else f"{number:,} epochs"
