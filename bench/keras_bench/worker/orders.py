"""Takes steps apart again with the examples of their batch in other orders.

No meaning changes with the order, but every sum over the batch does: how far a result moves is how
much the backend's own kernels round.
"""

import numpy as np

from keras_bench.parity.places import (
    FORWARD,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    PREDICTIONS,
    Place,
)
from keras_bench.worker.stages import Arrays, Seen, Subject, fed_to, observe_step, spread_of

#: How many other orders are tried.
ORDERS = 8

#: What holds the examples one by one, of all that goes into a stage and comes out of it.
OF_EXAMPLES = (
    LAYER_INPUT,
    OUTPUT_GRADIENT,
    LOGITS,
    PREDICTIONS,
    FORWARD,
    INPUT_GRADIENT,
    LOSS_GRADIENT,
)


def reorder_steps(subject: Subject, given: Arrays) -> Seen:
    """Return, under SPREAD, how far each array of the script's steps moves with the order."""
    spread: Seen = {}
    for epoch, step in subject.script.points:
        fed = fed_to(given, epoch, step)
        batch = fed[f"order/{epoch}"][(step - 1) * subject.script.batch_size :]
        as_it_is = np.arange(min(len(batch), subject.script.batch_size))
        orders = (np.random.default_rng(number).permutation(as_it_is) for number in range(ORDERS))
        moved = (_observe(subject, fed, epoch, step, order) for order in orders)
        spread |= spread_of(_observe(subject, fed, epoch, step, as_it_is), moved)
    return spread


def _observe(subject: Subject, fed: Arrays, epoch: int, step: int, order: np.ndarray) -> Seen:
    """Take a step apart with its examples in this order, and put what comes of it back."""
    epoch_key = f"order/{epoch}"
    stages = {key: _in_order(key, array, order) for key, array in fed.items() if key != epoch_key}
    examples = fed[epoch_key].copy()
    first = (step - 1) * subject.script.batch_size
    examples[first : first + len(order)] = examples[first : first + len(order)][order]
    seen = observe_step(subject, {**stages, epoch_key: examples}, epoch, step)
    back = np.argsort(order)
    return {key: _in_order(key, array, back) for key, array in seen.items()}


def within_batches(examples: np.ndarray, batch_size: int, number: int) -> np.ndarray:
    """Return the examples of an epoch in another order, each batch with those that it had."""
    random = np.random.default_rng(number)
    batches = [
        random.permutation(examples[first : first + batch_size])
        for first in range(0, len(examples), batch_size)
    ]
    return np.concatenate(batches)


def _in_order(key: str, array: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return an array with its examples in this order, if it holds examples."""
    holds = not key.startswith("order/") and Place.from_key(key).stage in OF_EXAMPLES
    return array[order] if holds and array.ndim and len(array) == len(order) else array
