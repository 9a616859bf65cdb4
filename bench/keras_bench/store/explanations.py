"""An explanation as a file: what it says, for machines, and everything it comes from."""

import json
from pathlib import Path

import msgspec

from keras_bench.analyze.advice import advice
from keras_bench.analyze.explanation import Explanation
from keras_bench.records import Profile, Run
from keras_bench.store.files import write_file


def save(found: Explanation, run: Run, profile: Profile | None, file: Path) -> None:
    """Write what was found, measured and seen; raise ResultsUnwritable or DiskFull."""
    document = {
        "advice": advice(found.tries),
        "explanation": msgspec.to_builtins(found),
        "run": msgspec.to_builtins(run),
        "profile": msgspec.to_builtins(profile),
    }
    write_file(file, json.dumps(document, indent=1, allow_nan=False) + "\n")
