"""What a machine's gates can see, a file for each machine, workload and backend."""

import json
import math
from pathlib import Path

import msgspec

from keras_bench.analyze.calibration import Capability
from keras_bench.analyze.clocks import clock_of
from keras_bench.records import Calibration, GateSettings
from keras_bench.store.files import read_file, write_file


def calibration_file(results: Path, fingerprint: str, workload: str, backend: str) -> Path:
    """Return where a calibration is kept."""
    return results / "calibration" / f"{fingerprint}-{workload}-{backend}.json"


def save(calibration: Calibration, found: Capability, threshold: float, results: Path) -> Path:
    """Write what was measured and what came of it; raise ResultsUnwritable or DiskFull."""
    machine = calibration.machine.fingerprint
    file = calibration_file(results, machine, calibration.workload, calibration.backend)
    document = {
        "threshold": threshold,
        "capability": msgspec.to_builtins(found),
        "calibration": msgspec.to_builtins(calibration),
    }
    write_file(file, json.dumps(document, indent=1) + "\n")
    return file


def smallest_slowdown(
    results: Path, fingerprint: str, workload: str, backend: str, settings: GateSettings
) -> float | None:
    """Return the smallest slowdown that gates with these settings see for sure.

    It is infinite where none is, and None where it isn't known.
    """
    file = calibration_file(results, fingerprint, workload, backend)
    try:
        document = json.loads(read_file(file))
        found, measured = document["capability"], document["calibration"]
        noise, smallest = found["noise"], found["smallest_slowdown"]
        alike = (measured["metric"], measured["threads"], measured["method"]) == (
            clock_of(settings.metric, backend),
            settings.threads,
            "slices",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # A warning that can't be given keeps nobody from measuring.
    if not alike or not isinstance(noise, float):
        return None
    if smallest is None:
        return math.inf
    return smallest if isinstance(smallest, float) else None
