"""Verdicts on parity as JSON, with every series that a plot needs."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_bench.parity.deviations import Deviation
from keras_bench.parity.loops import LoopVerdict, sentence_of_loop
from keras_bench.parity.places import EPOCH_LOSS, RUNNING_LOSS, Place
from keras_bench.parity.verdict import BackendVerdict, Verdict, sentence
from keras_bench.records import Environment
from keras_bench.store.files import write_file

#: Places of a cause that are written down one by one.
FIRST_PLACES = 10


def save(
    verdicts: Sequence[Verdict],
    environments: Mapping[str, Environment],
    settings: Mapping[str, object],
    file: Path,
) -> None:
    """Write the verdicts, whole or not at all; raise ResultsUnwritable or DiskFull."""
    _write([_workload(each) for each in verdicts], environments, settings, file)


def save_loop_verdicts(
    verdicts: Mapping[str, Sequence[LoopVerdict]],
    environments: Mapping[str, Environment],
    settings: Mapping[str, object],
    file: Path,
) -> None:
    """Write the verdicts on loops, by workload; raise ResultsUnwritable or DiskFull."""
    found = [
        {"workload": workload, "loops": [_loop(each) for each in several]}
        for workload, several in verdicts.items()
    ]
    _write(found, environments, settings, file)


def _write(
    found: Sequence[Mapping[str, object]],
    environments: Mapping[str, Environment],
    settings: Mapping[str, object],
    file: Path,
) -> None:
    document = {
        "schema_version": 1,
        "environments": {
            backend: {"python": environment.python_version, **dict(environment.packages)}
            for backend, environment in environments.items()
        },
        "settings": dict(settings),
        "workloads": found,
    }
    write_file(file, json.dumps(document, indent=1, allow_nan=False) + "\n")


def _loop(each: LoopVerdict) -> dict[str, object]:
    return {
        "backend": each.learner,
        "loop": each.loop,
        "outcome": each.outcome,
        "sentence": sentence_of_loop(each),
        "failure": each.failure or None,
        "unsupported": each.unsupported,
        "deviations": [_deviation(deviation) for deviation in each.deviations],
    }


def _workload(verdict: Verdict) -> dict[str, object]:
    return {
        "workload": verdict.workload,
        "dtype": verdict.dtype,
        "epochs": verdict.epochs,
        "reference": verdict.source,
        "remarks": verdict.remarks,
        "backends": [_backend(each, verdict) for each in verdict.backends],
        "epoch_losses": _series(verdict, EPOCH_LOSS),
        "running_losses": _series(verdict, RUNNING_LOSS),
    }


def _backend(each: BackendVerdict, verdict: Verdict) -> dict[str, object]:
    return {
        "backend": each.backend,
        "outcome": each.outcome,
        "sentence": sentence(each, verdict.knows_who),
        "failure": each.failure or None,
        "remarks": each.remarks,
        "causes": [
            {
                "what": cause.what,
                "reason": cause.reason or None,
                "places_off": len(cause.places),
                "first_places": [_deviation(each) for each in cause.places[:FIRST_PLACES]],
            }
            for cause in each.causes
        ],
        "largest_by_stage": [_deviation(worst.deviation) for worst in each.worst],
    }


def _deviation(deviation: Deviation) -> dict[str, object]:
    place = deviation.place
    return {
        "epoch": place.epoch,
        "step": place.step,
        "stage": place.stage,
        "subject": place.subject,
        "relative_deviation": _number(deviation.deviation),
        "rounding_bound": _number(deviation.bound),
        "is_off": deviation.is_off,
    }


def _number(value: float | None) -> float | None:
    """Return a number as JSON has it, None where it is infinite or none."""
    return value if value is not None and math.isfinite(value) else None


def _series(verdict: Verdict, stage: str) -> list[dict[str, object]]:
    """Return a row per point in time: the reference's loss, and that of each backend."""
    by_backend = {each.backend: dict(each.losses) for each in verdict.backends}

    def at(place: Place, loss: float, bound: float) -> dict[str, object]:
        others = {backend: _number(losses.get(place)) for backend, losses in by_backend.items()}
        return {
            "epoch": place.epoch,
            "step": place.step,
            "reference": _number(loss),
            "rounding_bound": _number(bound),
            **others,
        }

    return [at(*known) for known in verdict.losses if known[0].stage == stage]
