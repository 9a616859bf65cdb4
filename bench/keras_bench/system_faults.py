"""What an error of the operating system is about, where any call may have raised it."""

import errno
import os
import tempfile
from pathlib import Path

from keras_bench.errors import BenchError, DiskFull, ResultsUnwritable, UsageError
from keras_bench.fit_values import shown

#: What to do where the folder for temporary files fails.
SET_TMPDIR = "set TMPDIR to a folder that can be written, and that nothing cleans up"


def fault_of_system(error: OSError) -> BenchError | None:
    """Return whose fault it is: a name's length, or the folder of temporary files; else None."""
    name = "" if error.filename is None else os.fsdecode(error.filename)
    if error.errno == errno.ENAMETOOLONG and name:
        return UsageError(shown(name), "is too long for the name of a file", "name another one")
    reason = (error.strerror or str(error)).lower()
    if reason.startswith("no usable temporary directory"):
        return ResultsUnwritable("TMPDIR", "names no folder that can be written", SET_TMPDIR)
    folder = tempfile.gettempdir()
    if not name or not Path(name).is_relative_to(folder):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(folder, "the disk is full", f"free some space, or {SET_TMPDIR}")
    return ResultsUnwritable(folder, f"{name} can't be used ({reason})", SET_TMPDIR)
