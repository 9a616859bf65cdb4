"""Writes a workload to start from: `keras-bench new`."""

import shlex
from pathlib import Path

from keras_bench.errors import UsageError
from keras_bench.measure.workloads import template
from keras_bench.report.terminal import make_console


def write_workload(file: Path) -> None:
    """Write a commented workload that runs as it is, and say what to do with it.

    Raises:
        UsageError: the name doesn't end in .py, the file is there already, or can't be written.
    """
    if file.suffix != ".py":
        raise UsageError(str(file), "isn't the name of a Python file", "let it end in .py")
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(template().read_text(encoding="utf-8"))
    except FileExistsError:
        raise UsageError(str(file), "is there already", "choose another name") from None
    except OSError as error:
        reason = f"can't be written ({(error.strerror or str(error)).lower()})"
        raise UsageError(str(file), reason, "choose another folder") from None
    console = make_console()
    # To be pasted: a name may have spaces, or look like an option.
    behind = ["--", str(file)] if str(file).startswith("-") else [str(file)]
    command = shlex.join(["keras-bench", "run", *behind])
    console.print(f"Written to {file}. Measure it with `{command}`.")
