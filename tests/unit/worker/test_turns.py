"""What a worker does with its turns, told and heard without a process."""

from keras_bench.worker.protocol import STOP, Turn
from keras_bench.worker.turns import Turns


def turns(after_epochs: int, *words: str):
    """Return the turns of a worker that hears these words, and the list of what it replies."""
    replies, left = [], list(words)
    return Turns(after_epochs, None, lambda *reply: replies.append(reply), lambda: left.pop(0)), (
        replies
    )


def test_the_uncounted_epochs_are_trained_freely():
    taken, replies = turns(3, "1\n")
    assert taken.epoch_ended(0.1)
    assert taken.epoch_ended(0.1)
    assert replies == []
    assert taken.epoch_ended(0.2)
    assert replies == [("turn", Turn(0.2))]


def test_a_turn_lasts_as_many_epochs_as_it_is_told():
    taken, replies = turns(1, "3\n", "1\n", "1\n")
    for _ in range(4):
        assert taken.epoch_ended(0.1)
    assert len(replies) == 2
    assert taken.epoch_ended(0.1)
    assert len(replies) == 3


def test_it_stops_when_it_is_told():
    taken, replies = turns(1, "1\n", f"{STOP}\n")
    assert taken.epoch_ended(0.1)
    assert not taken.epoch_ended(0.1)
    assert len(replies) == 2
