"""A run as a file in pytest-benchmark's JSON schema, and back.

Each arm with samples is an entry of `benchmarks`, its steady epochs the `data` of its `stats`.
What the schema has no place for stands in `extra_info` (the arm and its samples whole) and in
`machine_info` (the machine, and under `keras_bench` everything else of the run). Nothing
is lost on the way, so `load` returns what `save` was given.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from keras_bench.analyze.steady import steady
from keras_bench.errors import ResultsBroken
from keras_bench.records import SCHEMA_VERSION, Arm, ArmResult, Run, Sample
from keras_bench.soundness import fault_of_measured
from keras_bench.store.files import read_file, stored_name, write_file


def run_file(run: Run, results: Path) -> Path:
    """Return where a run is kept: `runs/<UTC time>-<fingerprint>.json`."""
    return results / "runs" / stored_name(run)


def newest(results: Path) -> Path:
    """Return the file of the run that was started last; raise ResultsBroken where there is none."""
    files = sorted((results / "runs").glob("*.json"))
    if not files:
        raise ResultsBroken(str(results / "runs"), "holds no run", "measure with `keras-bench run`")
    return files[-1]


def save(run: Run, results: Path) -> Path:
    """Write the run and return its file; raise ResultsUnwritable or DiskFull."""
    file = run_file(run, results)
    write_file(file, json.dumps(to_document(run), indent=1, allow_nan=False) + "\n")
    return file


def load(file: Path) -> Run:
    """Read a run; raise ResultsBroken for a file that is missing, cut short, or another's."""
    remedy = "name a file of results/runs/, or measure again with `keras-bench run`"
    try:
        document = json.loads(read_file(file))
    except OSError as error:
        reason = f"can't be read ({(error.strerror or str(error)).lower()})"
        raise ResultsBroken(str(file), reason, remedy) from None
    except (ValueError, RecursionError) as error:
        raise ResultsBroken(str(file), f"isn't JSON ({error})", remedy) from None
    try:
        run = from_document(document)
        if fault := fault_of_measured(run):
            raise TypeError(fault)
        return run
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise ResultsBroken(str(file), f"isn't a run of keras-bench ({error})", remedy) from None


def to_document(run: Run) -> dict[str, Any]:
    """Return the run in pytest-benchmark's schema."""
    from pytest_benchmark import __version__ as pytest_benchmark_version
    from pytest_benchmark.utils import get_commit_info

    machine = run.machine
    rest = msgspec.to_builtins(replace(run, results=()))
    rest["results"] = [msgspec.to_builtins(replace(result, samples=())) for result in run.results]
    return {
        "machine_info": {
            "node": machine.fingerprint,
            "processor": machine.cpu,
            "machine": machine.architecture,
            "system": machine.system,
            "release": machine.system_release,
            "cpu": {"brand_raw": machine.cpu, "count": machine.logical_cores},
            "keras_bench": rest,
        },
        "commit_info": get_commit_info(),
        "benchmarks": [_benchmark(result) for result in run.results if result.samples],
        "datetime": run.started_utc,
        "version": pytest_benchmark_version,
    }


def from_document(document: Any) -> Run:
    """Return the run that `to_document` wrote."""
    rest = document["machine_info"]["keras_bench"]
    version = rest["schema_version"]
    if version != SCHEMA_VERSION:
        raise TypeError(f"schema version {version!r}, and this is {SCHEMA_VERSION}")
    samples = {
        msgspec.convert(benchmark["extra_info"]["arm"], Arm): msgspec.convert(
            [_with_metrics(each) for each in benchmark["extra_info"]["samples"]],
            tuple[Sample, ...],
        )
        for benchmark in document["benchmarks"]
    }
    rest["settings"].setdefault("parity", False)  # Runs from before there was a check.
    run = msgspec.convert(rest, Run)
    return replace(
        run,
        results=tuple(
            replace(result, samples=samples.get(result.arm, ())) for result in run.results
        ),
    )


def _with_metrics(sample: dict[str, Any]) -> dict[str, Any]:
    """Return a sample as it is stored today: once, the accuracy was the only metric it had."""
    accuracies = sample.get("accuracies")
    return {**sample, "metrics": {"accuracy": accuracies}} if accuracies else sample


def extra_info(result: ArmResult) -> dict[str, Any]:
    """Return the arm and its samples whole, as plain values."""
    return {
        "arm": msgspec.to_builtins(result.arm),
        "samples": msgspec.to_builtins(result.samples),
    }


def _benchmark(result: ArmResult) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    arm = result.arm
    epochs = [seconds for sample in result.samples for seconds in steady(sample)]
    stats = Stats()
    for seconds in epochs:
        stats.update(seconds)
    return {
        "group": arm.workload,
        "name": arm.name,
        "fullname": f"{arm.workload}.py::{arm.name}",
        "params": {
            "backend": arm.backend,
            "threads": arm.threads,
            "task": arm.task,
            "loop": arm.loop,
        },
        "param": arm.backend,
        "extra_info": extra_info(result),
        "options": {},
        "stats": {
            **stats.as_dict(),
            "data": epochs,
            "iterations": result.samples[0].calls_per_block,
        },
    }
