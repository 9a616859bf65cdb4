"""What a task is called in titles and sentences: decided once, for terminal, page and files."""

from dataclasses import dataclass

from keras_bench.records import Task


@dataclass(frozen=True)
class Words:
    """The words for a task.

    `does` stands before a workload whose ratios are told, and `does_one` before one whose time is.
    `one` is what is timed, `a_one` that with its article. `kept` is
    what a time is kept of, and `a_time` what that time is. `errs` is what a
    backend does whose parity failed, `err` what several do, and `erred` what one did.
    """

    does: str
    does_one: str
    one: str
    a_one: str
    kept: str
    a_time: str
    errs: str
    err: str
    erred: str


WORDS: dict[Task, Words] = {
    "train": Words(
        does="trains",
        does_one="trains an epoch of",
        one="epoch",
        a_one="an epoch",
        kept="epoch",
        a_time="the time of an epoch",
        errs="learns",
        err="learn",
        erred="learned",
    ),
    "predict": Words(
        does="predicts a batch of",
        does_one="predicts a batch of",
        one="call",
        a_one="a call",
        kept="block of calls",
        a_time="the mean of a block of calls",
        errs="predicts",
        err="predict",
        erred="predicted",
    ),
}
