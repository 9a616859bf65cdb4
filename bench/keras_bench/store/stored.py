"""Reads what was measured from a file, whichever command wrote it."""

import json
from pathlib import Path

from keras_bench.records import Gate, Run
from keras_bench.store import gates, runs
from keras_bench.store.files import read_file


def load(file: Path) -> Run | Gate:
    """Return the run, or the gate or sweep, that a file holds; raise ResultsBroken for any other.

    What can't be told apart is read as a run, whose error says what is wrong with it.
    """
    try:
        document = json.loads(read_file(file))
    except (OSError, ValueError, RecursionError):
        return runs.load(file)
    is_gate = isinstance(document, dict) and "gate" in document
    return gates.load(file) if is_gate else runs.load(file)
