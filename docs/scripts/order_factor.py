"""Measures how many times the spread over orders of the batch a backend's rounding is.

    python docs/scripts/order_factor.py                 the zoo and the cases of the tests
    python docs/scripts/order_factor.py NAME_OR_FILE    those workloads

Workloads whose arrays are in results/order_factor.json already aren't measured again.

Parity takes each workload apart in float32 and in float64, and on every backend once more in eight
other orders of each batch, where nothing is off, too. The error of an array is its largest
distance to the same backend's float64 run, and what the orders explain of it is how far the array
moves among them. It counts where rounding in general doesn't explain the error.

It adds every array to that file, and writes their table in docs/explanation/parity.md,
between "<!-- measured: orders -->" and "<!-- end -->".
"""

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from measured_parts import with_parts

from keras_bench.environments.finding import environments_of
from keras_bench.environments.interpreters import Interpreter
from keras_bench.measure import workloads
from keras_bench.measure.lock import machine_lock
from keras_bench.measure.parity import ask_the_backends
from keras_bench.measure.parity_workers import (
    ArraysAtPlaces,
    Learner,
    ParitySettings,
    parity_workers,
)
from keras_bench.measure.process import Launcher, launcher
from keras_bench.parity.deviations import SAFETY, deviations
from keras_bench.parity.network import NotCovered, covered
from keras_bench.parity.own_rounding import ORDER_FACTOR, depend_on_order, moved_by_orders
from keras_bench.parity.places import INITIAL_WEIGHTS
from keras_bench.parity.training import by_textbook, plan_training, widened
from keras_bench.parity.verdict import settle
from keras_bench.records import BACKENDS, EnvironmentChoice, Selection
from keras_bench.report.markdown import pipe_table
from keras_bench.report.text_table import TextTable
from keras_bench.worker.protocol import ParityRequest, Workload

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "explanation" / "parity.md"
STORED = PROJECT / "results" / "order_factor.json"
CASES = PROJECT / "tests" / "frameworks" / "cases"

#: Cases that a backend trains otherwise, or not at all.
LEFT_OUT = ("ids_out_of_range", "mixed_precision", "object_array", "topk_index")

SETTINGS = ParitySettings(epochs=1)

#: Shares of what the orders explain, below which the table counts.
LIMITS = (1.0, 2.0, SAFETY * ORDER_FACTOR)

Row = dict[str, Any]


def rows_of(
    workload: Workload, interpreters: Mapping[str, Interpreter], workers: Launcher
) -> Iterator[Row]:
    """Yield each array of a workload's steps with its error and what explains it, by backend."""
    learners = {name: Learner(name, each.python, workload) for name, each in interpreters.items()}
    failures: dict[str, Any] = {}
    with (
        ExitStack() as files,
        parity_workers(
            learners, ParityRequest, SETTINGS, "float32", workers, failures, files
        ) as group,
    ):
        blueprints = group.blueprints()
        blueprint = blueprints[settle(blueprints)]
        arrays = files.enter_context(np.load(blueprint.arrays_file))
        training = plan_training(blueprint, arrays, "float32", SETTINGS.seed, SETTINGS.epochs)
        own: dict[str, ArraysAtPlaces] = {}
        try:
            reference = by_textbook(covered(blueprint), training)
        except NotCovered:
            reference, own = ask_the_backends(
                learners, SETTINGS, training, workers, failures, files
            )
        stages = group.carry_out("observe", training, reference.arrays)
        seen = {backend: ArraysAtPlaces(each) for backend, each in stages.items()}
        if own:
            known = [backend for backend in seen if backend in own]
            reference = widened(
                reference, [seen[each] for each in known], [own[each] for each in known], "float32"
            )
        for backend, found in group.carry_out("reorder", training, reference.arrays).items():
            moved = moved_by_orders(found)
            if depend_on_order(moved, reference):
                continue
            for deviation in deviations(seen[backend], reference, "float32"):
                place = deviation.place
                if place.stage == INITIAL_WEIGHTS or place not in moved:
                    continue
                truth = own.get(backend, reference.arrays)[place]
                error = float(np.abs(np.asarray(seen[backend][place], "float64") - truth).max())
                yield {
                    "workload": workload.name,
                    "backend": backend,
                    "place": place.key,
                    "error": float(f"{error:.3g}"),
                    "moved": float(f"{np.max(moved[place], initial=0.0):.3g}"),
                    "beyond_general": deviation.is_off,
                }


#: The fields of an array in the file, where it stands below its workload and backend.
FIELDS = ("place", "error", "moved", "beyond_general")


def stored() -> list[Row]:
    """Return the arrays that were measured before."""
    if not STORED.exists():
        return []
    document = json.loads(STORED.read_text(encoding="utf-8"))
    return [
        {"workload": workload, "backend": backend, **dict(zip(FIELDS, values, strict=True))}
        for workload, of_backends in document.items()
        for backend, arrays in of_backends.items()
        for values in arrays
    ]


def store(rows: list[Row]) -> None:
    """Keep all arrays, one in a line."""
    document: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        of_backend = document.setdefault(row["workload"], {}).setdefault(row["backend"], [])
        of_backend.append(json.dumps([row[field] for field in FIELDS]))
    workloads = ",\n".join(
        json.dumps(workload)
        + ": {\n"
        + ",\n".join(
            f"{json.dumps(name)}: [\n" + ",\n".join(lines) + "]" for name, lines in each.items()
        )
        + "}"
        for workload, each in document.items()
    )
    STORED.write_text(f"{{\n{workloads}\n}}\n", encoding="utf-8")


def table(rows: list[Row]) -> str:
    """Return how many arrays are off by more than some multiples of how far they move.

    Those that don't move are sums within an example, for which parity has another bound.
    """
    cells = []
    for backend in BACKENDS:
        for beyond in (False, True):
            mine = [
                ratio(row)
                for row in rows
                if row["backend"] == backend and row["beyond_general"] >= beyond and row["moved"]
            ]
            counted = [str(sum(each > limit for each in mine)) for limit in LIMITS]
            largest = f"{max(mine):.1f}" if mine else ""
            which = "beyond the first bound" if beyond else "all that move"
            cells.append([backend, which, str(len(mine)), *counted, largest])
    names = {row["workload"] for row in rows}
    titles = ["backend", "arrays", "number", *[f"over {limit:g}" for limit in LIMITS], "largest"]
    told = pipe_table(TextTable.of(titles, [False, False, *[True] * (len(LIMITS) + 2)], cells))
    return f"{told}\n\nOf {len(names)} workloads: {', '.join(sorted(names))}."


def ratio(row: Row) -> float:
    """Return how many times the largest distance among the orders an error is, if there is any."""
    return float(row["error"] / row["moved"]) if row["moved"] else math.inf


def main() -> None:
    """Measure, keep the figures, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="workloads by name or file")
    names = parser.parse_args().names
    cases = [str(each) for each in sorted(CASES.glob("*.py")) if each.stem not in LEFT_OUT]
    chosen = [
        *workloads.find(Selection(tuple(names)) if names else Selection(tags=("all",))),
        *(() if names else workloads.find(Selection(tuple(cases)))),
    ]
    requirements = workloads.requirements(chosen)
    found = environments_of(EnvironmentChoice(), print, required=requirements)
    interpreters = found.interpreters(BACKENDS, {})
    rows = stored()
    known = {row["workload"] for row in rows}
    with machine_lock(print), launcher(1800.0, ()) as workers:
        for workload in (each for each in chosen if each.name not in known):
            mine = list(rows_of(workload, interpreters, workers))
            rows += mine
            off = [row for row in mine if row["beyond_general"]]
            print(f"{workload.name}: {len(mine)} arrays, {len(off)} beyond the first bound")
            for row in off:
                print(f"  {row['backend']} {row['place']}: {ratio(row):.2f}", flush=True)
            store(rows)
            page = with_parts(PAGE.read_text(encoding="utf-8"), {"orders": table(rows)})
            PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
