"""What a machine's gates can see, a file for each machine, workload and backend."""

import json
from pathlib import Path

import msgspec

from bench.analyze.calibration import Capability
from bench.records import Calibration
from bench.store.files import write_atomically


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
    write_atomically(file, json.dumps(document, indent=1) + "\n")
    return file


def smallest_slowdown(results: Path, fingerprint: str, workload: str, backend: str) -> float | None:
    """Return the smallest slowdown that gates see for sure, None where it isn't known."""
    file = calibration_file(results, fingerprint, workload, backend)
    try:
        found = json.loads(file.read_bytes())["capability"]["smallest_slowdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # A warning that can't be given keeps nobody from measuring.
    return found if isinstance(found, float) else None
