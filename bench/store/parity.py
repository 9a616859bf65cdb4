"""Verdicts on parity as JSON, with every series that a plot needs."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.parity.deviations import Deviation
from bench.parity.places import EPOCH_LOSS, RUNNING_LOSS, Place
from bench.parity.verdict import BackendVerdict, Verdict, sentence
from bench.store.files import write_atomically


def save(verdicts: Sequence[Verdict], file: Path) -> None:
    """Write the verdicts, whole or not at all; raise ResultsUnwritable or DiskFull."""
    document = {"schema_version": 1, "workloads": [_workload(each) for each in verdicts]}
    write_atomically(file, json.dumps(document, indent=1) + "\n")


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
        "causes": [
            {
                "what": cause.what,
                "reason": cause.reason or None,
                "places": [_deviation(deviation) for deviation in cause.places],
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
        "relative_deviation": deviation.deviation,
        "rounding_bound": deviation.bound,
        "is_off": deviation.is_off,
    }


def _series(verdict: Verdict, stage: str) -> list[dict[str, object]]:
    """Return a row per point in time: the reference's loss, and that of each backend."""
    by_backend = {each.backend: dict(each.losses) for each in verdict.backends}

    def at(place: Place, loss: float, bound: float) -> dict[str, object]:
        others = {backend: losses.get(place) for backend, losses in by_backend.items()}
        return {
            "epoch": place.epoch,
            "step": place.step,
            "reference": loss,
            "rounding_bound": bound,
            **others,
        }

    return [at(*known) for known in verdict.losses if known[0].stage == stage]
