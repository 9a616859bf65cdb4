import errno
import os
from pathlib import Path

import pytest

from keras_bench.errors import DiskFull, ResultsUnwritable, UsageError
from keras_bench.system_faults import fault_of_system


@pytest.fixture
def temporary(monkeypatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", "/var/temporary")
    return Path("/var/temporary")


def error(number: int, file: Path | None) -> OSError:
    return OSError(number, os.strerror(number), None if file is None else str(file))


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (
            errno.ENOSPC,
            DiskFull,
            "the disk is full; free some space, or set TMPDIR",
        ),
        (
            errno.ENOENT,
            ResultsUnwritable,
            "x can't be used (no such file or directory)",
        ),
        (errno.ENAMETOOLONG, UsageError, "is too long for the name of a file"),
    ],
)
def test_what_fails_among_temporary_files_is_named(temporary, number, kind, said):
    found = fault_of_system(error(number, temporary / "x"))
    assert type(found) is kind
    assert said in str(found)


def test_a_machine_without_a_folder_for_them_is_told():
    reason = "No usable temporary directory found in ['/tmp']"
    found = fault_of_system(FileNotFoundError(errno.ENOENT, reason))
    assert str(found).startswith("TMPDIR: names no folder that can be written; set TMPDIR")


@pytest.mark.parametrize("file", [None, Path("/elsewhere/x")])
def test_what_fails_elsewhere_is_not_foreseen(temporary, file):
    assert fault_of_system(error(errno.EIO, file)) is None
