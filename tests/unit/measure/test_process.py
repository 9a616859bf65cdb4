"""A worker's life, with an interpreter that behaves as each test tells it."""

import contextlib
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from builders import workload_in

from keras_bench.errors import (
    BackendError,
    BenchError,
    LossDiverged,
    Uncheckable,
    Unsupported,
    WorkerDied,
    WorkerTimeout,
    WorkloadError,
)
from keras_bench.measure.process import Launcher, launcher
from keras_bench.records import Sample
from keras_bench.worker.protocol import Observation, TimingRequest

REQUEST = TimingRequest(workload=workload_in(Path("mine.py")), backend="jax", seed=0, epochs=3)


@pytest.fixture
def workers() -> Iterator[Launcher]:
    with launcher(timeout_seconds=20.0) as shared:
        yield shared


@pytest.fixture
def talking_python(fake_python) -> Callable[[str], str]:
    """Make an interpreter whose worker does this with each text that it hears."""

    def make(behaviour: str) -> str:
        return fake_python(
            "def tell(text): say('observation', {'file': text})\n"
            "text = json.dumps(request)\n"
            "while True:\n"
            f"    {behaviour}\n"
            "    text = hear()\n"
        )

    return make


@pytest.fixture
def descendants() -> Callable[[], list[psutil.Process]]:
    """List the processes that this test has started.

    Those of shared fixtures may be alive too, and a browser starts further ones when it likes.
    """
    before = set(psutil.Process().children())
    return lambda: [
        process
        for child in psutil.Process().children()
        if child not in before
        for process in (child, *child.children(recursive=True))
    ]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_the_end_of(descendants: Callable[[], list[psutil.Process]]) -> None:
    wait_until(lambda: all(each.status() == psutil.STATUS_ZOMBIE for each in descendants()))


def test_a_sample_comes_back_with_the_time_the_process_took(workers, fake_python):
    start = time.perf_counter()
    sample = workers.run(fake_python("sample(0.02)"), REQUEST)
    most = time.perf_counter() - start
    assert len(sample.epoch_seconds) == 3
    assert 0.06 <= sum(sample.epoch_seconds) < sample.process_seconds < most


def test_the_worker_is_told_what_to_do(workers, fake_python, tmp_path: Path):
    workers.run(
        fake_python(f"open({str(tmp_path / 'seen')!r}, 'w').write(str(request)); sample()"), REQUEST
    )
    assert "'module': 'mine.py'" in (tmp_path / "seen").read_text()


@pytest.mark.parametrize(
    "behaviour",
    [
        "text = os.environ['TOKEN']; say('problem', dict(kind='workload', message=text,"
        " traceback=text))",
        "print(os.environ['TOKEN'], flush=True); os._exit(1)",
    ],
)
def test_the_value_of_a_variable_that_is_passed_on_is_not_told(
    fake_python, monkeypatch, behaviour: str
):
    monkeypatch.setenv("TOKEN", "secret")
    with (
        launcher(20.0, ["TOKEN"]) as workers,
        pytest.raises(BenchError, match=r"\$TOKEN") as caught,
    ):
        workers.run(fake_python(behaviour), REQUEST)
    assert "secret" not in f"{caught.value} {getattr(caught.value, '__notes__', '')} {workers}"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("print('last words'); os._exit(7)", "ended with exit code 7 while starting"),
        ("say('stage', 'training'); os.kill(os.getpid(), 9)", "SIGKILL.*memory.*while training"),
        ("os.abort()", "SIGABRT"),
        ("os.close(reply); sys.exit()", "ended with exit code 0"),
    ],
)
def test_a_worker_that_dies_is_told_apart(workers, fake_python, behaviour: str, reason: str):
    with pytest.raises(WorkerDied, match=reason) as caught:
        workers.run(fake_python(behaviour), REQUEST)
    assert "\n" not in str(caught.value)


def test_the_last_words_of_a_dead_worker_are_reported(workers, fake_python):
    with pytest.raises(WorkerDied, match="it last printed: out of luck"):
        workers.run(fake_python("print('x\\nout of luck', flush=True); os._exit(1)"), REQUEST)


def test_a_worker_that_hangs_is_ended_in_time(fake_python, descendants):
    hangs = "say('stage', 'training'); time.sleep(600)"
    with (
        launcher(timeout_seconds=2.0) as workers,
        pytest.raises(WorkerTimeout, match=r"no answer after 2 s while training.*--timeout"),
    ):
        workers.run(fake_python(hangs), REQUEST)
    assert not descendants()


def test_compiling_may_take_a_part_of_the_time_and_what_follows_the_rest(
    workers, fake_python, monkeypatch, descendants
):
    monkeypatch.setattr("keras_bench.measure.process.COMPILING_SHARE", 0.1)
    fused = replace(REQUEST, loop="fused")
    enter = "say('stage', 'compiling the epoch'); "
    with pytest.raises(WorkerTimeout, match=r"on jax fused: its first epoch.*2 s.*by fit"):
        workers.run(fake_python(enter + "time.sleep(60)"), fused)
    in_time = "say('stage', 'training'); time.sleep(2.2); sample()"
    assert workers.run(fake_python(enter + in_time), fused).examples == 100
    assert not descendants()


def test_a_worker_that_prints_without_end_is_ended_in_time(fake_python, descendants):
    with launcher(timeout_seconds=1.0) as workers, pytest.raises(WorkerTimeout):
        workers.run(fake_python("while True: print('x' * 100_000)"), REQUEST)
    assert not descendants()


def test_gigabytes_of_output_neither_block_a_worker_nor_stay_in_memory(workers, fake_python):
    before = psutil.Process().memory_info().rss
    behaviour = "[os.write(1 + i % 2, b'x' * 2**20) for i in range(2048)]; sample()"
    assert workers.run(fake_python(behaviour), REQUEST).examples == 100
    assert psutil.Process().memory_info().rss - before < 2**27


def test_children_of_a_worker_do_not_outlive_it(workers, fake_python, descendants):
    behaviour = "import subprocess; subprocess.Popen(['sleep', '60']); sample()"
    workers.run(fake_python(behaviour), REQUEST)
    assert not descendants()


@pytest.mark.parametrize("ending", ["sample()", "os._exit(3)"])
def test_nor_do_those_in_sessions_of_their_own(workers, fake_python, tmp_path, ending):
    # Its parent ends before the worker does, so that it is nobody's child any more.
    behaviour = f"""import subprocess
subprocess.run(
    ["sh", "-c", "sleep 61 & echo $! > {tmp_path}/child"], start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
{ending}
"""
    with contextlib.suppress(WorkerDied):
        workers.run(fake_python(behaviour), REQUEST)
    child = int((tmp_path / "child").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(10)
    assert not psutil.pid_exists(child)


def test_a_temporary_folder_that_was_cleaned_up_is_made_anew(workers, fake_python):
    shutil.rmtree(workers.folder)
    assert workers.run(fake_python("sample()"), REQUEST).examples == 100


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("workload", WorkloadError),
        ("backend", BackendError),
        ("diverged", LossDiverged),
        ("unsupported", Unsupported),
        ("unchecked", Uncheckable),
        ("framework", BackendError),
    ],
)
def test_a_problem_becomes_the_error_of_its_kind(workers, fake_python, kind: str, error: type):
    behaviour = (
        f"say('problem', dict(kind={kind!r}, message='is odd', traceback='Traceback: here'))"
    )
    with pytest.raises(error, match="is odd") as caught:
        workers.run(fake_python(behaviour), REQUEST)
    assert caught.value.__notes__ == ["Traceback: here"]


def test_an_interpreter_that_is_gone_is_a_backend_error(workers):
    with pytest.raises(BackendError, match="can't be started"):
        workers.run("/nowhere/python", REQUEST)


def test_two_lines_told_have_two_answers_in_their_order(workers, talking_python, descendants):
    with workers.start(talking_python("tell(text)"), REQUEST) as worker:
        assert '"module": "mine.py"' in worker.answer(Observation).file
        worker.tell("first")
        worker.tell("second")
        assert [worker.answer(Observation).file for _ in range(2)] == ["first", "second"]
        worker.tell("third")
        assert worker.answer(Observation).file == "third"
    assert not descendants()


def test_answers_that_came_before_they_were_asked_for_are_kept(
    workers, talking_python, descendants
):
    python = talking_python("tell('one'); tell('two'); sys.exit()")
    with workers.start(python, REQUEST) as worker:
        wait_for_the_end_of(descendants)
        assert [worker.answer(Observation).file for _ in range(2)] == ["one", "two"]
        with pytest.raises(WorkerDied, match="ended with exit code 0"):
            worker.answer(Observation)


def test_an_answer_in_pieces_is_put_together(workers, talking_python):
    behaviour = (
        "whole = json.dumps({'observation': {'file': 'é' * 50_000}}, ensure_ascii=False).encode();"
        " [(os.write(reply, part), time.sleep(0.02)) for part in (whole[:21], whole[21:40_000],"
        " whole[40_000:], b'\\n')]"
    )
    with workers.start(talking_python(behaviour), REQUEST) as worker:
        assert worker.answer(Observation).file == "é" * 50_000


def test_the_longest_wait_counts_from_the_last_line_told(talking_python, descendants):
    behaviour = "time.sleep({'late': 0.3, 'never': 60}.get(text, 0)); tell(text)"
    with (
        launcher(timeout_seconds=2.0) as workers,
        workers.start(talking_python(behaviour), REQUEST) as worker,
    ):
        worker.answer(Observation)
        time.sleep(2.1)
        worker.tell("late")
        assert worker.answer(Observation).file == "late"
        start = time.monotonic()
        worker.tell("never")
        with pytest.raises(WorkerTimeout, match="no answer after 2 s"):
            worker.answer(Observation)
        assert time.monotonic() - start >= 2.0
    assert not descendants()


def test_an_answer_that_came_in_time_is_taken_however_late_it_is_asked_for(talking_python):
    with (
        launcher(timeout_seconds=2.0) as workers,
        workers.start(talking_python("tell('in time')"), REQUEST) as worker,
    ):
        time.sleep(2.2)
        assert worker.answer(Observation).file == "in time"


def test_telling_a_dead_worker_is_answered_by_its_death(workers, fake_python, descendants):
    with workers.start(fake_python("print('farewell'); sys.exit(3)"), REQUEST) as worker:
        wait_for_the_end_of(descendants)
        worker.tell("more")
        worker.tell("and more")
        for _ in range(2):
            with pytest.raises(WorkerDied, match=r"exit code 3 .*printed: farewell"):
                worker.answer(Sample)


def test_a_problem_may_come_after_an_answer(workers, talking_python):
    behaviour = "say('problem', dict(kind='workload', message='is odd', traceback=''))"
    with workers.start(talking_python(f"tell(text); {behaviour}"), REQUEST) as worker:
        worker.answer(Observation)
        with pytest.raises(WorkloadError, match="is odd"):
            worker.answer(Observation)


def test_epochs_are_kept_in_their_order_and_are_no_answers(workers, talking_python):
    behaviour = "epoch(0.001); epoch(0.001); tell('answered'); epoch(0.001)"
    with workers.start(talking_python(behaviour), REQUEST) as worker:
        assert worker.answer(Observation).file == "answered"
        worker.wait_for_epochs(3)
        ends = [edge for each in worker.epochs for edge in (each.start_seconds, each.end_seconds)]
        assert len(ends) == 6
        assert ends == sorted(ends)


def test_a_problem_in_the_place_of_an_epoch_is_raised(workers, fake_python, descendants):
    behaviour = "epoch(0.001); say('problem', dict(kind='backend', message='is odd', traceback=''))"
    with workers.start(fake_python(behaviour), REQUEST) as worker:
        with pytest.raises(BackendError, match="is odd"):
            worker.wait_for_epochs(2)
        assert len(worker.epochs) == 1
    with workers.start(fake_python(behaviour), REQUEST) as worker:
        wait_for_the_end_of(descendants)
        with pytest.raises(BackendError, match="is odd"):
            worker.hear()


def test_a_death_in_the_place_of_an_epoch_is_raised(workers, fake_python, descendants):
    with workers.start(fake_python("epoch(0.001); sys.exit(3)"), REQUEST) as worker:
        worker.wait_for_epochs(1)
        with pytest.raises(WorkerDied, match="exit code 3"):
            worker.wait_for_epochs(2)
    with (
        workers.start(fake_python("sys.exit(3)"), REQUEST) as worker,
        pytest.raises(WorkerDied, match="exit code 3"),
    ):
        wait_until(worker.hear)


def test_a_training_that_ends_by_itself_is_the_files_fault(workers, fake_python):
    with (
        workers.start(fake_python("sample()"), REQUEST) as worker,
        pytest.raises(WorkloadError, match="its training ended by itself after epoch 3"),
    ):
        worker.wait_for_epochs(4)


def test_an_epoch_that_does_not_come_is_waited_for_in_time(fake_python):
    hangs = "say('stage', 'training'); epoch(0.001); time.sleep(600)"
    with (
        launcher(timeout_seconds=2.0) as workers,
        workers.start(fake_python(hangs), REQUEST) as worker,
        pytest.raises(WorkerTimeout, match="no answer after 2 s while training"),
    ):
        worker.wait_for_epochs(2)


def test_hearing_waits_for_nothing(workers, talking_python):
    with workers.start(talking_python("tell(text)"), REQUEST) as worker:
        worker.answer(Observation)
        worker.hear()
        assert worker.epochs == []


def test_a_worker_is_stopped_and_continued_with_its_children_wherever_they_are(
    workers, talking_python, descendants
):
    behaviour = (
        "import subprocess; [subprocess.Popen(['sleep', '600'], start_new_session=own)"
        " for own in (False, True)]; tell(text)"
    )
    with workers.start(talking_python(behaviour), REQUEST) as worker:
        worker.answer(Observation)
        worker.find_groups()
        for number, stopped in ((signal.SIGSTOP, True), (signal.SIGCONT, False)):
            worker.signal(number)
            wait_until(
                lambda stopped=stopped: (
                    [each.status() == psutil.STATUS_STOPPED for each in descendants()]
                    == [stopped] * 3
                )
            )
    assert not descendants()


def test_a_block_that_fails_ends_its_worker_and_passes_the_failure_on(
    workers, talking_python, descendants
):
    with (
        pytest.raises(FileNotFoundError),
        workers.start(talking_python("time.sleep(60)"), REQUEST),
    ):
        Path("/nowhere").read_text()
    assert not descendants()


def test_nothing_is_left_behind(fake_python: Callable[[str], str]):
    open_files = len(list(Path("/dev/fd").iterdir()))
    with launcher(timeout_seconds=20.0) as workers:
        folder = workers.folder
        for behaviour in ("sample()", "os._exit(1)"):
            with contextlib.suppress(WorkerDied):
                workers.run(fake_python(behaviour), REQUEST)
    assert not folder.exists()
    assert len(list(Path("/dev/fd").iterdir())) == open_files
