import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import run

from keras_bench.errors import DiskFull, ResultsUnwritable
from keras_bench.records import STANDARD_OUTPUT
from keras_bench.store.files import (
    append_lines,
    check_writable,
    is_stream,
    own_name,
    stored_name,
    write_file,
)

OLD = "what was there before\n"
NOBODY = 65534


@pytest.fixture
def old_file(tmp_path):
    file = tmp_path / "latest.md"
    file.write_text(OLD)
    return file


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path):
    file = tmp_path / "latest.md"
    write_file(file, "± one\r\ntwo\n")
    assert file.read_bytes() == "± one\r\ntwo\n".encode()
    assert names_in(tmp_path) == ["latest.md"]


def test_an_old_file_is_replaced(old_file):
    write_file(old_file, "new")
    assert old_file.read_text() == "new"
    assert names_in(old_file.parent) == [old_file.name]


def test_missing_folders_are_made(tmp_path):
    write_file(tmp_path / "results" / "runs" / "one.json", "{}")
    assert (tmp_path / "results" / "runs" / "one.json").read_text() == "{}"


def test_others_may_read_a_result(tmp_path):
    write_file(tmp_path / "latest.md", "text")
    assert (tmp_path / "latest.md").stat().st_mode & 0o777 == 0o644


@contextmanager
def without_root_rights():
    """Act as nobody, if this is root, who may write wherever the file system can."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def protected_file():
    """A file in a folder that everyone may read and enter, and nobody may write into."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "latest.md"
        file.write_text(OLD)
        file.parent.chmod(0o555)
        yield file
        file.parent.chmod(0o755)


def test_a_folder_without_write_permission_keeps_the_old_file(protected_file):
    with without_root_rights(), pytest.raises(ResultsUnwritable) as caught:
        write_file(protected_file, "new")
    assert str(caught.value) == (
        f"{protected_file}: can't be written (permission denied); name another place"
    )
    assert protected_file.read_text() == OLD
    assert names_in(protected_file.parent) == [protected_file.name]


def test_a_folder_is_found_unwritable_before_anything_is_measured(protected_file):
    with without_root_rights(), pytest.raises(ResultsUnwritable):
        check_writable(protected_file.parent)
    with without_root_rights(), pytest.raises(ResultsUnwritable):
        check_writable(protected_file.parent / "results")


def test_trying_a_folder_leaves_nothing_in_it(tmp_path):
    check_writable(tmp_path / "results")
    assert names_in(tmp_path / "results") == []


def test_a_file_where_a_folder_should_be_is_an_error_of_one_line(old_file):
    with pytest.raises(ResultsUnwritable) as caught:
        write_file(old_file / "latest.md", "new")
    assert "\n" not in str(caught.value)
    assert old_file.read_text() == OLD


def test_a_folder_where_the_file_should_be_stays(tmp_path):
    (tmp_path / "latest.md").mkdir()
    with pytest.raises(ResultsUnwritable):
        write_file(tmp_path / "latest.md", "new")
    assert names_in(tmp_path) == ["latest.md"]
    assert (tmp_path / "latest.md").is_dir()


WRITE_BEYOND_A_LIMIT = f"""
import resource, sys
from pathlib import Path
from keras_bench.errors import ResultsUnwritable
from keras_bench.store.files import write_file

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY}))
try:
    write_file(Path(sys.argv[1]), "new\\n" * 100_000)
except ResultsUnwritable as error:
    print(error)
"""


def test_a_write_that_fails_in_the_middle_keeps_the_old_file(old_file):
    child = subprocess.run(
        [sys.executable, "-c", WRITE_BEYOND_A_LIMIT, str(old_file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.stderr == ""
    assert child.stdout == (f"{old_file}: can't be written (file too large); name another place\n")
    assert old_file.read_text() == OLD
    assert names_in(old_file.parent) == [old_file.name]


def test_a_disk_that_becomes_full_keeps_the_old_file_and_is_named(tiny_disk):
    file = tiny_disk / "latest.md"
    write_file(file, OLD)
    with pytest.raises(DiskFull) as caught:
        write_file(file, "new\n" * 100_000)
    assert str(caught.value) == (
        f"{file}: the disk is full; free some space, or name another place"
    )
    assert file.read_text() == OLD
    assert names_in(tiny_disk) == [file.name]


def test_a_full_disk_is_found_before_anything_is_measured(tiny_disk):
    with pytest.raises(OSError, match="No space left"):
        (tiny_disk / "filler").write_bytes(bytes(2**20))
    with pytest.raises(DiskFull):
        check_writable(tiny_disk)


WRITE_FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
from keras_bench.store.files import write_file

for letter in cycle("ab"):
    write_file(Path(sys.argv[1]), letter * 2**20)
    print(letter, flush=True)
"""


@pytest.mark.parametrize("writes", range(1, 7))
def test_a_process_killed_while_it_writes_leaves_a_whole_file(tmp_path, writes):
    file = tmp_path / "run.json"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(file)], stdout=subprocess.PIPE, text=True
    ) as child:
        for _ in range(writes):
            assert child.stdout.readline()
        while child.poll() is None and names_in(tmp_path) == ["run.json"]:
            pass
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    text = file.read_text()
    assert len(text) == 2**20
    assert len(set(text)) == 1


def test_lines_are_added_below_a_heading_that_comes_once(tmp_path):
    file = tmp_path / "results" / "history.csv"
    for line in ("± one\n", "two\n", "three\nfour\n"):
        append_lines(file, line, heading="name\n")
    assert file.read_bytes() == "name\n± one\ntwo\nthree\nfour\n".encode()


def test_an_empty_file_gets_the_heading(tmp_path):
    file = tmp_path / "history.csv"
    file.touch()
    append_lines(file, "one\n", heading="name\n")
    assert file.read_text() == "name\none\n"


def test_a_line_that_was_cut_short_is_ended_first(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text("name\non")
    append_lines(file, "two\n", heading="name\n")
    assert file.read_text() == "name\non\ntwo\n"


def test_nothing_is_added_to_a_file_without_write_permission(protected_file):
    protected_file.chmod(0o444)
    with without_root_rights(), pytest.raises(ResultsUnwritable, match="permission denied"):
        append_lines(protected_file, "new\n", heading="name\n")
    with without_root_rights(), pytest.raises(ResultsUnwritable, match="permission denied"):
        append_lines(protected_file.parent / "history.csv", "new\n", heading="name\n")
    assert protected_file.read_text() == OLD


def test_a_part_of_a_line_that_a_full_disk_took_is_taken_back(tiny_disk):
    """A file's last page has room when the disk has none, for a part of the lines."""
    file = tiny_disk / "history.csv"
    append_lines(file, "old\n", heading="name\n")
    with pytest.raises(OSError, match="No space left"):
        (tiny_disk / "filler").write_bytes(bytes(2**20))
    with pytest.raises(DiskFull):
        append_lines(file, "new\n" * 10_000, heading="name\n")
    assert file.read_text() == "name\nold\n"


APPEND_BEYOND_A_LIMIT = f"""
import resource, sys
from pathlib import Path
from keras_bench.errors import ResultsUnwritable
from keras_bench.store.files import append_lines

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY}))
try:
    append_lines(Path(sys.argv[1]), "new\\n" * 100_000, heading="name\\n")
except ResultsUnwritable as error:
    print(error)
"""


def test_lines_beyond_a_limit_are_taken_back(old_file):
    child = subprocess.run(
        [sys.executable, "-c", APPEND_BEYOND_A_LIMIT, str(old_file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.stderr == ""
    assert "can't be written (file too large)" in child.stdout
    assert old_file.read_text() == OLD


APPEND_OFTEN = """
import sys
from pathlib import Path
from keras_bench.store.files import append_lines

for _ in range(100):
    append_lines(Path(sys.argv[1]), sys.argv[2] * 5000 + "\\n", heading="name\\n")
"""


def test_the_lines_of_two_writers_never_mix(tmp_path):
    file = tmp_path / "history.csv"
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND_OFTEN, str(file), letter]) for letter in "ab"
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    lines = file.read_text().splitlines()
    assert sorted(line for line in lines if line not in ("", "name")) == sorted(
        [letter * 5000 for letter in "ab"] * 100
    )


def test_a_link_is_followed_and_stays_one(tmp_path, old_file):
    link = tmp_path / "link.md"
    link.symlink_to(old_file)
    write_file(link, "new")
    assert link.is_symlink()
    assert old_file.read_text() == "new"
    nowhere = tmp_path / "dangling.md"
    nowhere.symlink_to(tmp_path / "folder" / "new.md")
    write_file(nowhere, "new")
    assert (tmp_path / "folder" / "new.md").read_text() == "new"


@pytest.mark.parametrize("write", [write_file, lambda path, text: append_lines(path, text, "")])
def test_a_named_pipe_is_written_to_and_stays_one(tmp_path, write):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, "± one\n")
    assert os.read(reader, 100) == "± one\n".encode()
    os.close(reader)
    assert pipe.is_fifo()


def test_a_device_is_written_to_and_stays_one():
    before = Path("/dev/null").stat()
    write_file(Path("/dev/null"), "text")
    assert Path("/dev/null").stat().st_rdev == before.st_rdev


def test_a_full_device_is_a_full_disk():
    with pytest.raises(DiskFull, match="/dev/full"):
        write_file(Path("/dev/full"), "text")


def test_a_dash_is_standard_output(capfd):
    write_file(STANDARD_OUTPUT, "± one\n")
    append_lines(STANDARD_OUTPUT, "two\n", "")
    assert capfd.readouterr().out == "± one\ntwo\n"


def test_what_begins_in_the_same_second_has_a_name_of_its_own(tmp_path):
    begun = run(started_utc="2026-01-01T23:59:59Z")
    with own_name(begun, tmp_path) as first, own_name(begun, tmp_path) as second:
        assert first == begun
        assert second.started_utc == "2026-01-02T00:00:00Z"
        (tmp_path / stored_name(first)).write_text("{}")
    with own_name(begun, tmp_path) as third:
        assert third.started_utc == "2026-01-02T00:00:00Z"
    assert names_in(tmp_path) == [stored_name(first)]


def test_where_nothing_was_measured_no_folder_is_left(tmp_path):
    with own_name(run(), tmp_path / "runs"):
        assert names_in(tmp_path) == ["runs"]
    assert names_in(tmp_path) == []


def test_a_folder_that_cannot_be_written_costs_no_measurement(tmp_path):
    (tmp_path / "file").write_text("")
    begun = run()
    with own_name(begun, tmp_path / "file" / "runs") as named:
        assert named == begun


def test_what_may_not_be_looked_at_cannot_be_written(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    with without_root_rights():
        assert not is_stream(closed / "out.json")
        with pytest.raises(ResultsUnwritable, match="permission denied"):
            write_file(closed / "out.json", "text")
