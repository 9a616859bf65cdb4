"""Groups of workers in slices, with interpreters that behave as each test tells them."""

import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from builders import ENVIRONMENT, arm, workload_in

from keras_bench.errors import BackendError, WorkerDied, WorkerTimeout
from keras_bench.measure.group import GroupSettings, measure_groups
from keras_bench.measure.member import MOST_BEFORE
from keras_bench.measure.outcomes import Outcome, Starting, Target
from keras_bench.measure.process import launcher

SETTINGS = GroupSettings(uncounted_epochs=2, training_seconds=0.05, cpu=None)
BEFORE, AFTER = (
    arm(environment=replace(ENVIRONMENT, label=label)) for label in ("baseline", "candidate")
)
KNOWN = {BEFORE: 0.005, AFTER: 0.005}


@pytest.fixture
def measure(fake_python):
    """Measure a round of one group, each side given by what its worker does."""

    def run(
        *behaviours: str, slices=KNOWN, settings=SETTINGS, timeout_seconds=20.0, threads="default"
    ):
        arms = [replace(each, threads=threads) for each in (BEFORE, AFTER)][: len(behaviours)]
        targets = {
            each: Target(fake_python(behaviour), workload_in(Path("mine.py")))
            for each, behaviour in zip(arms, behaviours, strict=True)
        }
        with launcher(timeout_seconds) as workers:
            return list(measure_groups(7, [arms], targets, slices, 0, settings, workers))

    return run


@pytest.fixture
def short_probe(monkeypatch) -> None:
    monkeypatch.setattr("keras_bench.measure.group.FREE_SECONDS", 0.02)
    monkeypatch.setattr("keras_bench.measure.group.SLICE_SECONDS", 0.01)


def test_each_arm_gives_a_sample_of_the_round(measure):
    starting, *outcomes = measure("sample(0.003)", "sample(0.003)")
    assert starting == Starting("net[jax], in slices: baseline, candidate", 1, 1)
    assert [(each.arm, each.round) for each in outcomes] == [(BEFORE, 7), (AFTER, 7)]
    for sample in (each.result for each in outcomes):
        assert sample.round == 7
        assert sum(sample.counted) >= 1 - MOST_BEFORE
        assert sample.counted[:2] == (0.0, 0.0)
        assert sample.slice_seconds == 0.005
        assert sample.process_seconds > sum(sample.epoch_seconds)
        assert sample.other_busy_cores >= 0


#: Notes how many have been started, waits for as many to train at a time, and notes that its
#: uncounted epochs are over.
STARTING = """
from pathlib import Path

def note(word):
    with open({log!r}, "a") as file:
        file.write(word + " ")

note(f"of {{len(list(Path(__file__).parent.glob('*.asked')))}}")
while open({log!r}).read().split().count("of") < {together}:
    time.sleep(0.001)
epoch(0.001)
note("warm")
epoch(0.001)
sample(0.003)
"""


@pytest.mark.parametrize(
    ("rounds_alone", "threads", "order"),
    [
        (7, "single", "of 1 warm of 2 warm"),
        (6, "single", "of 2 of 2 warm warm"),
        # Their threads would wait for each other.
        (6, "default", "of 2 warm of 2 warm"),
    ],
    ids=["alone", "together", "trained in turn"],
)
def test_workers_start_alone_in_the_first_rounds(
    measure, tmp_path: Path, rounds_alone: int, threads: str, order: str
):
    log = tmp_path / "log"
    starting = STARTING.format(log=str(log), together=2 if order == "of 2 of 2 warm warm" else 1)
    settings = replace(SETTINGS, rounds_alone=rounds_alone)
    _, *outcomes = measure(starting, starting, settings=settings, threads=threads)
    assert [each.result.started_alone for each in outcomes] == [rounds_alone == 7] * 2
    assert log.read_text().split() == order.split()


def test_a_worker_that_memory_has_no_room_for_is_left_to_a_later_round(measure, monkeypatch):
    monkeypatch.setattr("keras_bench.measure.group.available_memory_bytes", lambda: 1000)
    settings = replace(SETTINGS, rounds_alone=7)
    _, *outcomes = measure("sample(0.003)", "sample(0.003)", settings=settings)
    assert [each.arm for each in outcomes] == [BEFORE]
    assert sum(outcomes[0].result.counted) >= 1 - MOST_BEFORE


def test_what_the_other_ran_meanwhile_is_no_part_of_an_epoch(measure):
    settings = replace(SETTINGS, training_seconds=0.5)
    _, *outcomes = measure("sample(0.003)", "sample(0.003)", settings=settings)
    active = [
        seconds * share
        for outcome in outcomes
        for seconds, share in zip(outcome.result.epoch_seconds, outcome.result.counted, strict=True)
    ]
    # With what the other ran, the stretch of a second would be in it twice.
    assert sum(active) < outcomes[0].result.process_seconds


def test_an_arm_alone_is_measured_by_itself(measure):
    starting, outcome = measure("sample(0.003)")
    assert starting.name == BEFORE.name
    assert sum(outcome.result.counted) >= 1 - MOST_BEFORE


@pytest.mark.usefixtures("short_probe")
def test_slices_of_one_that_sleeps_end_with_epochs(measure):
    # It goes on sleeping while it is stopped.
    sleeps = """
def sleep_for_an_epoch(seconds):
    start = time.monotonic()
    time.sleep(seconds)
    end = time.monotonic()
    lasted.append(end - start)
    say("epoch", dict(start_seconds=start, end_seconds=end))
    return inbox.empty()

epoch = sleep_for_an_epoch
sample(0.15)
"""
    _, before, _ = measure(sleeps, "sample(0.003)", slices={})
    sample = before.result
    assert sample.slice_seconds is None
    counted = [place for place, share in enumerate(sample.counted) if share > 0]
    assert min(sample.epoch_seconds[place] for place in counted) >= 0.15


@pytest.mark.usefixtures("short_probe")
def test_one_short_epoch_without_slices_makes_no_slices_longer(measure):
    uneven = "epoch(0.002); epoch(0.002); epoch(0.02); sample(0.05)"
    _, before, _ = measure(uneven, "sample(0.003)", slices={})
    assert before.result.slice_seconds == 0.01
    assert before.result.sliced_to_free < 1.5


def test_slices_that_end_with_epochs_cut_none(measure):
    _, before, _ = measure(
        "sample(0.003)", "sample(0.003)", slices={BEFORE: math.inf, AFTER: 0.005}
    )
    shares = {share for share in before.result.counted if share > 0}
    assert 1.0 in shares
    assert before.result.slice_seconds is None


def test_the_others_run_as_long_as_one_whose_slices_are_long(measure):
    slices = {BEFORE: math.inf, AFTER: 0.001}
    settings = replace(SETTINGS, training_seconds=0.3)
    _, before, after = measure("sample(0.1)", "sample(0.002)", slices=slices, settings=settings)
    # By slices of its own length it would have run for a hundredth of that.
    assert sum(before.result.epoch_seconds) < 5 * sum(after.result.epoch_seconds)


#: Starts a child of a group of its own, which notes the time again and again.
CHILD = """
import subprocess
ticking = "import time\\nwhile True: open({ticks!r}, 'a').write('.'); time.sleep(0.001)"
subprocess.Popen([sys.executable, "-c", ticking], start_new_session=True)
while not os.path.exists({ticks!r}):
    time.sleep(0.01)
sample(0.003)
"""


def test_a_child_that_left_the_group_is_stopped_with_it(measure, tmp_path: Path):
    ticks = tmp_path / "ticks"
    settings = replace(SETTINGS, training_seconds=0.0)
    # While the other takes its time to warm up, both are stopped.
    other = "epoch(0.001); time.sleep(2.0); sample(0.003)"
    begin = time.monotonic()
    measure(CHILD.format(ticks=str(ticks)), other, settings=settings)
    assert ticks.stat().st_size < 1000 * (time.monotonic() - begin - 1.0)
    size = ticks.stat().st_size
    time.sleep(0.1)
    assert ticks.stat().st_size == size


@pytest.mark.parametrize(
    "dying",
    ["os._exit(3)", "epoch(0.001); epoch(0.001); epoch(0.001); os._exit(3)"],
    ids=["before its first epoch", "in its slice"],
)
def test_one_that_dies_takes_nothing_from_the_others(measure, dying: str):
    _, *outcomes = measure("sample(0.003)", dying)
    results = {each.arm: each.result for each in outcomes if isinstance(each, Outcome)}
    assert isinstance(results[AFTER], WorkerDied)
    assert sum(results[BEFORE].counted) >= 1 - MOST_BEFORE


#: Trains where no signal of the coordinator comes: it tells of epochs while it was stopped.
UNSTOPPABLE = """
epoch(0.001)
epoch(0.001)
before = time.monotonic()
while inbox.empty():
    now = time.monotonic()
    if (gap := now - before) > 0.003:
        lasted.append(gap * 0.1)
        say("epoch", dict(start_seconds=before + gap * 0.45, end_seconds=before + gap * 0.55))
    before = now
sample()
"""


def test_one_that_trains_on_while_it_is_stopped_is_an_error(measure):
    settings = replace(SETTINGS, training_seconds=0.3)
    _, *outcomes = measure("sample(0.003)", UNSTOPPABLE, settings=settings)
    results = {each.arm: each.result for each in outcomes}
    assert isinstance(results[AFTER], BackendError)
    assert "trains on while it is stopped" in str(results[AFTER])
    assert sum(results[BEFORE].counted) >= 1 - MOST_BEFORE


def test_one_that_hangs_in_its_slices_is_given_up(measure):
    hangs = "epoch(0.001); epoch(0.001); epoch(0.001); time.sleep(600)"
    _, *outcomes = measure("sample(0.003)", hangs, timeout_seconds=0.5)
    results = {each.arm: each.result for each in outcomes}
    assert isinstance(results[AFTER], WorkerTimeout)
    assert sum(results[BEFORE].counted) >= 1 - MOST_BEFORE


#: Stops a worker, as between its slices, and says its number.
COORDINATOR = """
import signal, sys, time
from pathlib import Path
from keras_bench.measure.process import launcher
from keras_bench.worker.protocol import TimingRequest, Workload

request = TimingRequest(workload=Workload("mine", "mine.py", "."), backend="jax", seed=0)
with launcher(60.0) as workers, workers.start(sys.argv[1], request) as worker:
    worker.begin()
    worker.wait_for_epochs(1)
    worker.signal(signal.SIGSTOP)
    print(worker.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems show no process's variables")
def test_what_a_worker_started_does_not_outlive_a_killed_coordinator(fake_python, tmp_path):
    behaviour = f"""import subprocess
subprocess.run(
    ["sh", "-c", "sleep 61 & echo $! > {tmp_path}/child"], start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
sample(0.003)
"""
    with subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, fake_python(behaviour)], stdout=subprocess.PIPE
    ) as coordinator:
        assert coordinator.stdout is not None
        coordinator.stdout.readline()
        child = psutil.Process(int((tmp_path / "child").read_text()))
        os.kill(coordinator.pid, 9)
    _, alive = psutil.wait_procs([child], timeout=30)
    assert not alive


def test_a_stopped_worker_does_not_outlive_a_coordinator_that_is_killed(fake_python):
    with subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, fake_python("sample(0.003)")],
        stdout=subprocess.PIPE,
        text=True,
    ) as coordinator:
        assert coordinator.stdout is not None
        worker = psutil.Process(int(coordinator.stdout.readline()))
        while worker.status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        os.kill(coordinator.pid, 9)
    _, alive = psutil.wait_procs([worker], timeout=30)
    assert not alive
