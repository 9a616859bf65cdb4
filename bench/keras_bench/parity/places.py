"""Where in a training an array was seen: the words that workers and the comparison share."""

import re
from dataclasses import dataclass

#: What is compared, in the order in which one causes the other within a step.
INITIAL_WEIGHTS = "initial weights"
FORWARD = "forward"
LOSS = "loss"
LOSS_GRADIENT = "loss gradient"
INPUT_GRADIENT = "input gradient"
WEIGHT_GRADIENT = "weight gradient"
GRADIENT = "gradient"
UPDATE = "update"
STEP = "training step"
RUNNING_LOSS = "running loss"
EPOCH_LOSS = "epoch loss"
EPOCH_END = "epoch end"

#: A loss or metric of an epoch, which only loops are compared by.
EPOCH_METRIC = "epoch metric"

STAGES = (
    INITIAL_WEIGHTS,
    FORWARD,
    LOSS,
    LOSS_GRADIENT,
    INPUT_GRADIENT,
    WEIGHT_GRADIENT,
    GRADIENT,
    UPDATE,
    STEP,
    RUNNING_LOSS,
    EPOCH_LOSS,
    EPOCH_END,
)

#: What a stage is given, from the reference.
BEFORE = "before"
LAYER_INPUT = "layer input"
OUTPUT_GRADIENT = "output gradient"
LOGITS = "logits"
PREDICTIONS = "predictions"
GIVEN = (BEFORE, LAYER_INPUT, OUTPUT_GRADIENT, LOGITS, PREDICTIONS, GRADIENT)

#: Goes before the name of an array that tells how far rounding moves another.
SPREAD = "spread/"

#: The subject of a loss.
THE_LOSS = "loss"


@dataclass(frozen=True, order=True)
class Place:
    """An epoch and a step, counted from 1, a stage, and the layer or variable it is about.

    Step 0 is the epoch as a whole, and epoch 0 the time before the training.
    """

    epoch: int
    step: int
    stage: str
    subject: str = THE_LOSS

    @property
    def key(self) -> str:
        """The place as a name for an array in a file."""
        return f"{self.epoch}/{self.step}/{self.stage}/{self.subject}"

    @classmethod
    def from_key(cls, key: str) -> "Place":
        """Read what `key` wrote; the subject may hold slashes."""
        epoch, step, stage, subject = key.split("/", 3)
        return cls(int(epoch), int(step), stage, subject)


def call_of(tensor: str) -> str:
    """Return the call of a layer that a tensor goes into or comes out of: "add" of "add:1"."""
    return re.sub(r":\d+$", "", tensor)
