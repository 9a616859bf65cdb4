"""What the arguments of `Model.fit` can be, as far as it can be told without Keras.

The coordinator refuses by it what an option or a file states, before a worker is started; the
worker what a file computes.
"""

from numbers import Integral
from typing import Any

#: The largest number that reaches every backend whole.
LARGEST = 2**63 - 1

#: What is a whole number, with the least that it may be.
WHOLE_NUMBERS = {
    "batch_size": 1,
    "epochs": 1,
    "initial_epoch": 0,
    "steps_per_epoch": 1,
    "validation_batch_size": 1,
    "validation_freq": 1,
    "validation_steps": 1,
}

#: Those that may be left to Keras by None.
LEFT_OPEN = {"batch_size", "steps_per_epoch", "validation_batch_size", "validation_steps"}

#: How much of a value a message shows.
SHOWN_CHARACTERS = 40


def fault_of(name: str, value: Any) -> str:
    """Say what is wrong with an argument of this name, or nothing.

    True is no whole number, and neither is 32.0.
    """
    if value is None and name in LEFT_OPEN:
        return ""
    if name in WHOLE_NUMBERS:
        if name == "validation_freq" and not isinstance(value, int | float | str):
            return ""  # A list of epochs, which has a refusal of its own.
        least = WHOLE_NUMBERS[name]
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not (whole and least <= int(value) <= LARGEST):
            return f"{name}={shown(value)} instead of a whole number from {least} on"
    if name == "shuffle" and not (isinstance(value, bool) or value in (0, 1)):
        return f"shuffle={shown(value)} instead of True or False"
    if name == "validation_split":
        # A NaN is in no range.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and 0.0 <= value < 1.0):
            return f"validation_split={shown(value)} instead of a number from 0 on, below 1"
    return ""


def shown(value: Any) -> str:
    """Return a value as a message shows it: quoted, and not longer than a line."""
    if isinstance(value, Integral) and not -LARGEST <= int(value) <= LARGEST:
        return f"a number of {int(value).bit_length()} bits"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
