"""Writes the measured parts of concepts.md, from the tables of a stored run.

    python docs/scripts/write_concepts.py                         from results/concepts.json
    python docs/scripts/write_concepts.py RESULTS/latest.json     keep that there first

The run is that of eight minutes by

    nox -s bench -- dense_3_5_2 sigmoid_3_5_2 docs/examples/activation_layers_3_5_2.py
        dense_3_5_2_adam dense_1_16_32_2 docs/examples/batch_100_1_16_32_2.py
        --threads single --quick --no-parity --rounds 8 --budget 460 --results RESULTS

Parity has no say in it: every comparison is of two workloads on one backend. The processes are
short because many of them narrow an interval more than long ones do.

It stands between "<!-- measured: NAME -->" and "<!-- end -->" on the page, and a test holds it to
the stored run.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from measured_parts import with_parts

from keras_bench.analyze.answer import listed
from keras_bench.analyze.numbers import milliseconds, ratio_text
from keras_bench.analyze.stats import Estimate, ratio
from keras_bench.records import BACKENDS, Machine
from keras_bench.report.columns import with_interval
from keras_bench.report.markdown import described, pipe_table
from keras_bench.report.text_table import TextTable

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "explanation" / "concepts.md"
STORED = PROJECT / "results" / "concepts.json"


@dataclass(frozen=True)
class Comparison:
    """Two workloads, and in a word or two what each does that the other doesn't."""

    baseline: str
    baseline_is: str
    candidate: str
    candidate_is: str


COMPARISONS = {
    "sigmoid": Comparison("dense_3_5_2", "relu", "sigmoid_3_5_2", "sigmoid"),
    "activation layers": Comparison(
        "dense_3_5_2", "arguments", "activation_layers_3_5_2", "activation layers"
    ),
    "batch": Comparison(
        "dense_1_16_32_2", "batches of 10", "batch_100_1_16_32_2", "batches of 100"
    ),
    "adam": Comparison("dense_3_5_2", "SGD", "dense_3_5_2_adam", "Adam"),
}

#: The workload whose first epoch is shown beside its steady ones.
FIRST_EPOCH_OF = "dense_1_16_32_2"

#: A row of the run's tables by its workload and backend.
Rows = Mapping[tuple[str, str], Mapping[str, Any]]


def filled(page: str, document: Mapping[str, Any]) -> str:
    """Return the page with its measured parts as the tables of this run have them."""
    rows = {
        (row["workload"], row["backend"]): row
        for table in document["tables"]
        for row in table["rows"]
    }
    texts = {name: compared(comparison, rows) for name, comparison in COMPARISONS.items()}
    texts |= {"first epoch": first_epochs(rows), "source": source(document, rows)}
    return with_parts(page, texts)


def compared(comparison: Comparison, rows: Rows) -> str:
    """Say on which backends the candidate's epoch takes longer or less long, and by how much."""
    ratios, cells = {}, []
    for backend in BACKENDS:
        baseline = rows[comparison.baseline, backend]
        candidate = rows[comparison.candidate, backend]
        found = ratio(candidate["process_epoch_seconds"], baseline["process_epoch_seconds"])
        ratios[backend] = found
        epochs = [with_interval(_epoch(row), milliseconds) for row in (baseline, candidate)]
        cells.append([backend, *epochs, ratio_text(found)])
    names = comparison.baseline_is, comparison.candidate_is
    titles = ["backend", *(f"{name}, ms" for name in names), "ratio"]
    table = pipe_table(TextTable.of(titles, [False, True, True, True], cells))
    return f"{_verdict(comparison, ratios)}\n\n{table}\n"


def first_epochs(rows: Rows) -> str:
    """Return a table of the first epoch beside a steady one, and their quotient."""
    cells = []
    for backend in BACKENDS:
        row = rows[FIRST_EPOCH_OF, backend]
        first, steady = row["first_epoch_seconds"], _epoch(row)
        quotient = f"{first / steady.value:.1f}"
        steady_text = with_interval(steady, milliseconds)
        cells.append([backend, milliseconds(first), steady_text, quotient])
    titles = ["backend", "first epoch, ms", "steady epoch, ms", "first ÷ steady"]
    return pipe_table(TextTable.of(titles, [False, True, True, True], cells)) + "\n"


def source(document: Mapping[str, Any], rows: Rows) -> str:
    """Say when, where and on which versions it was measured."""
    versions = [
        f"{backend} {rows[FIRST_EPOCH_OF, backend]['framework_version']}" for backend in BACKENDS
    ]
    settings, row = document["settings"], rows[FIRST_EPOCH_OF, "jax"]
    fewest = min(each["processes"] for each in rows.values())
    return (
        f"- {document['started_utc']}, at least {fewest} processes of each network on each backend,"
        f" seed {settings['seed']}, threads {settings['threads']}\n"
        f"- Keras {row['keras_version']}, {listed(versions)}, Python {row['python_version']}\n"
        f"- {described(msgspec.convert(document['machine'], Machine))}"
    )


def _epoch(row: Mapping[str, Any]) -> Estimate:
    return Estimate(row["epoch_seconds"], row["epoch_seconds_low"], row["epoch_seconds_high"])


def _verdict(comparison: Comparison, ratios: Mapping[str, Estimate]) -> str:
    """Say on which side of 1 each ratio's interval lies, undecided where on both."""
    longer, shorter, undecided = [], [], []
    for backend, found in ratios.items():
        if found.low is not None and found.low > 1:
            longer.append(backend)
        elif found.high is not None and found.high < 1:
            shorter.append(backend)
        else:
            undecided.append(backend)
    outcomes = {"longer": longer, "shorter": shorter, "undecided": undecided}
    said = [f"{outcome} on {listed(on)}" for outcome, on in outcomes.items() if on]
    return (
        f"With {comparison.candidate_is} in place of {comparison.baseline_is}, an epoch is"
        f" {'; '.join(said)}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Keep the tables that the command line names, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("latest", nargs="?", type=Path, help="a latest.json to keep first")
    options = parser.parse_args(arguments)
    if options.latest is not None:
        shutil.copyfile(options.latest, STORED)
    document = json.loads(STORED.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, document), encoding="utf-8")


if __name__ == "__main__":
    main()
