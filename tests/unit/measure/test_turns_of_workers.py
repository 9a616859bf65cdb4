"""Workers that take turns, with interpreters that behave as each test tells them."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders import ENVIRONMENT, arm, workload_in

from keras_bench.errors import WorkerDied
from keras_bench.measure.process import launcher
from keras_bench.measure.runner import Outcome, Starting, Target
from keras_bench.measure.turns import TurnSettings, carry_out_in_turns

SETTINGS = TurnSettings(uncounted_epochs=2, least_turns=3, training_seconds=0.0, cpu=None)
BEFORE, AFTER = (
    arm(environment=replace(ENVIRONMENT, label=label)) for label in ("baseline", "candidate")
)


@pytest.fixture
def carry_out(fake_python):
    """Carry out a round of one group, each side given by what its worker does."""

    def run(before: str, after: str, settings=SETTINGS):
        targets = {
            BEFORE: Target(fake_python(before), workload_in(Path("before.py"))),
            AFTER: Target(fake_python(after), workload_in(Path("after.py"))),
        }
        with launcher(timeout_seconds=20.0) as workers:
            groups = [[BEFORE, AFTER]]
            return list(carry_out_in_turns(7, groups, targets, 0, settings, workers))

    return run


def test_each_side_gives_a_sample_of_the_round(carry_out):
    starting, *outcomes = carry_out("sample(0.03)", "sample(0.06)")
    assert starting == Starting("net[jax], in turn: baseline, candidate", 1, 1)
    assert [(each.arm, each.round) for each in outcomes] == [(BEFORE, 7), (AFTER, 7)]
    before, after = (each.result for each in outcomes)
    # The quicker one's epoch of 30 ms makes a turn of two, and there are three turns.
    assert before.epoch_seconds == (0.03,) * (2 + 2 * 3)
    assert after.epoch_seconds == (0.06,) * (2 + 2 * 3)
    assert before.round == after.round == 7
    assert before.process_seconds > 6 * 0.03 + 6 * 0.06
    assert before.other_busy_cores >= 0


def test_turns_go_on_for_as_long_as_asked(carry_out):
    settings = replace(SETTINGS, training_seconds=1.0)
    _, before, after = carry_out("sample(0.05)", "sample(0.05)", settings)
    epochs = len(before.result.epoch_seconds)
    assert epochs == len(after.result.epoch_seconds)
    assert epochs > 2 + 3
    assert epochs * 0.05 < 2.0


def test_they_are_in_turn_there_and_back_again(carry_out, tmp_path: Path):
    log = tmp_path / "log"
    telling = f"""
class Telling:
    def __init__(self, inbox):
        self.inbox = inbox
        self.put = inbox.put
    def get(self):
        word = self.inbox.get()
        with open({str(log)!r}, "a") as file:
            print(request["workload"]["module"], word, file=file)
        return word

inbox = Telling(inbox)
sample(0.05)
"""
    carry_out(telling, telling)
    told = [line.split() for line in log.read_text().splitlines()]
    assert [file for file, word in told if word != "stop"] == [
        "before.py", "after.py", "after.py", "before.py", "before.py", "after.py",
    ]  # fmt: skip
    assert [file for file, word in told if word == "stop"] == ["before.py", "after.py"]


@pytest.mark.parametrize(
    "dying",
    ["os._exit(3)", "say('turn', dict(epoch_seconds=0.05)); inbox.get(); os._exit(3)"],
    ids=["before its first turn", "in its turn"],
)
def test_one_that_dies_leaves_no_sample_of_the_others(carry_out, dying: str):
    _, outcome = carry_out("sample(0.05)", dying)
    assert isinstance(outcome, Outcome)
    assert outcome.arm == AFTER
    assert isinstance(outcome.result, WorkerDied)
