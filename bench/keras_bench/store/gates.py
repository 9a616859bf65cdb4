"""A gate as a file: what it found, for machines, and everything it measured."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from keras_bench.analyze.gate_answer import answer, ending, outcome
from keras_bench.analyze.pairs import Pair
from keras_bench.errors import ResultsBroken
from keras_bench.records import SCHEMA_VERSION, Gate
from keras_bench.report.columns import interval_record
from keras_bench.soundness import fault_of_measured
from keras_bench.store.files import read_file, stored_name, write_file


def gate_file(gate: Gate, results: Path) -> Path:
    """Return where a gate is kept: `gates/<UTC time>-<fingerprint>.json`."""
    return results / "gates" / stored_name(gate)


def save(gate: Gate, pairs: Sequence[Pair], file: Path) -> None:
    """Write what a gate found and measured; raise ResultsUnwritable or DiskFull."""
    document = {
        "ending": ending(gate),
        "pairs": [_found(pair, gate.settings.threshold) for pair in pairs],
        "gate": msgspec.to_builtins(gate),
    }
    write_file(file, json.dumps(document, indent=1, allow_nan=False) + "\n")


def load(file: Path) -> Gate:
    """Read a gate that was saved; raise ResultsBroken for any other file."""
    remedy = "name a file of results/gates/"
    try:
        raw = json.loads(read_file(file))["gate"]
        if raw["schema_version"] != SCHEMA_VERSION:
            raise TypeError(f"schema version {raw['schema_version']!r}")
        gate = msgspec.convert(raw, Gate)
        if fault := fault_of_measured(gate):
            raise TypeError(fault)
        return gate
    except OSError as error:
        reason = f"can't be read ({(error.strerror or str(error)).lower()})"
        raise ResultsBroken(str(file), reason, remedy) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResultsBroken(str(file), f"isn't a gate of keras-bench ({error})", remedy) from None


def _found(pair: Pair, threshold: float) -> dict[str, Any]:
    judgement = pair.judgement
    change = judgement.visible_change
    return {
        "workload": pair.baseline.arm.workload,
        "backend": pair.baseline.arm.backend,
        "verdict": outcome(pair),
        "sentence": answer(pair, threshold),
        **interval_record("ratio", judgement.ratio),
        "visible_change": None if math.isinf(change) else change,
        "rounds": judgement.rounds,
        "confirming": judgement.confirming,
        "confirming_rounds": judgement.confirming_rounds,
        "left_out_rounds": msgspec.to_builtins(pair.left_out),
        **interval_record("baseline_epoch_seconds", pair.baseline_epoch),
        **interval_record("candidate_epoch_seconds", pair.candidate_epoch),
    }
