"""What comparing two stored runs found, as JSON."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from keras_bench.analyze.between_runs import Noise
from keras_bench.analyze.compared import ArmPair, Comparison
from keras_bench.analyze.compared_answer import conclusion, remarks, versions, worth
from keras_bench.analyze.measured import MeasuredArm, MeasuredRun
from keras_bench.analyze.stats import centre
from keras_bench.records import SCHEMA_VERSION
from keras_bench.report.columns import interval_record
from keras_bench.store.files import write_file


def save(comparison: Comparison, file: Path) -> None:
    """Write the comparison; raise ResultsUnwritable or DiskFull."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "baseline": _run(comparison.baseline),
        "candidate": _run(comparison.candidate),
        "threshold": comparison.threshold,
        "versions": versions(comparison),
        "differences": list(comparison.differences),
        "worth": worth(comparison) or None,
        "pairs": [_pair(pair, comparison) for pair in comparison.pairs],
    }
    write_file(file, json.dumps(document, indent=1, allow_nan=False) + "\n")


def _run(run: MeasuredRun) -> Mapping[str, Any]:
    return {
        "source": run.source,
        "started_utc": run.started_utc,
        "threads": run.threads,
        "complete": run.complete,
        "machine": msgspec.to_builtins(run.machine),
    }


def _pair(pair: ArmPair, comparison: Comparison) -> Mapping[str, Any]:
    change = pair.visible_change
    return {
        "workload": pair.workload,
        "backend": pair.backend,
        "verdict": pair.outcome,
        "doubt": pair.doubt,
        "sentence": conclusion(pair, comparison).sentence,
        "remarks": remarks(pair),
        **interval_record("ratio", pair.ratio),
        **interval_record("lasting_ratio", pair.lasting),
        **interval_record("ratio_to_fastest", pair.to_fastest),
        "fastest": pair.fastest,
        "visible_change": None if math.isinf(change) else change,
        **_noise(pair.between),
        **_side("baseline", pair.baseline),
        **_side("candidate", pair.candidate),
    }


def _noise(between: Noise | None) -> Mapping[str, Any]:
    known = between if between is not None and between.freedom else None
    return {
        "between_runs_deviation": None if known is None else known.deviation,
        "between_runs_freedom": None if between is None else between.freedom,
        "between_runs_reach_seconds": None if known is None else known.reach.total_seconds(),
    }


def _side(name: str, side: MeasuredArm | None) -> Mapping[str, Any]:
    seconds = () if side is None else side.process_epoch_seconds
    return {
        f"{name}_processes": len(seconds),
        **interval_record(f"{name}_epoch_seconds", centre(seconds) if seconds else None),
    }
