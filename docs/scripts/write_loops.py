"""Writes the measured parts of loops.md, from the tables of two stored runs.

    python docs/scripts/write_loops.py                      from the two stored runs
    python docs/scripts/write_loops.py --loops LATEST.json  keep that as the first of them before
    python docs/scripts/write_loops.py --zoo LATEST.json    the same with the second

The runs are those of

    nox -s bench -- --loop fit --loop fit:32 --loop batch --loop fused --loop bare
        --rounds 4 --results RESULTS
    nox -s bench -- --tag all --loop fit --loop fused --quick --rounds 2 --no-parity
        --results RESULTS

It stands between "<!-- measured: NAME -->" and "<!-- end -->" on the page, and a test holds it to
the stored runs.
"""

import argparse
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from measured_parts import with_parts

from keras_bench.analyze.answer import listed
from keras_bench.analyze.numbers import milliseconds, ratio_text
from keras_bench.analyze.stats import Estimate
from keras_bench.records import BACKENDS, DEFAULT_LOOPS, Machine
from keras_bench.report.columns import with_interval
from keras_bench.report.markdown import described, pipe_table, plain
from keras_bench.report.text_table import TextTable

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "explanation" / "loops.md"
STORED = PROJECT / "results" / "loops.json"
ZOO = PROJECT / "results" / "loops_zoo.json"

FIT = DEFAULT_LOOPS["train"]

Document = Mapping[str, Any]
Row = Mapping[str, Any]


def filled(page: str, loops: Document, zoo: Document) -> str:
    """Return the page with its measured parts as the tables of these runs have them."""
    texts = {
        "loops": "\n".join(map(of_workload, loops["tables"])),
        "loops source": source(loops),
        "zoo": of_zoo(zoo),
        "zoo source": source(zoo),
    }
    return with_parts(page, texts)


def of_workload(table: Document) -> str:
    """Return a table of a workload's loops, a row per backend and loop."""
    rows = sorted(table["rows"], key=lambda row: BACKENDS.index(row["backend"]))
    cells = [
        [
            row["backend"],
            row["loop"],
            *(_measured(row, _fit(table, row["backend"])) if _counts(row) else _why_not(row)),
        ]
        for row in rows
    ]
    titles = ["backend", "loop", "epoch, ms", "speed-up", "first epoch, s", "pays from"]
    return (
        f"**{table['workload']}**\n\n"
        + pipe_table(TextTable.of(titles, [False, False, True, True, True, True], cells))
        + "\n"
    )


def of_zoo(document: Document) -> str:
    """Return a table of what `fused` gains, a row per workload and backend."""
    cells = []
    for table in document["tables"]:
        for backend in BACKENDS:
            fit = _fit(table, backend)
            (fused,) = (
                row for row in table["rows"] if (row["backend"], row["loop"]) == (backend, "fused")
            )
            fit_epoch = "" if fit is None else with_interval(_epoch(fit), milliseconds)
            told = _measured(fused, fit) if _counts(fused) else _why_not(fused)
            cells.append([table["workload"], backend, fit_epoch, *told])
    titles = [
        "workload", "backend", "fit, ms", "fused, ms", "speed-up", "first epoch, s", "pays from",
    ]  # fmt: skip
    return (
        pipe_table(TextTable.of(titles, [False, False, True, True, True, True, True], cells)) + "\n"
    )


def source(document: Document) -> str:
    """Say when, where and on which versions it was measured."""
    rows = [row for table in document["tables"] for row in table["rows"] if _counts(row)]
    found = {row["backend"]: row["framework_version"] for row in rows}
    settings, row = document["settings"], rows[0]
    fewest = min(each["processes"] for each in rows)
    return (
        f"- {document['started_utc']}, at least {fewest} processes of each arm,"
        f" seed {settings['seed']}, threads {settings['threads']}\n"
        f"- Keras {row['keras_version']},"
        f" {listed([f'{backend} {found[backend]}' for backend in BACKENDS])},"
        f" Python {row['python_version']}\n"
        f"- {described(msgspec.convert(document['machine'], Machine))}"
    )


def pays_from(row: Row, fit: Row) -> int | None:
    """Return from how many epochs on a loop takes less time than `fit`, by its medians.

    None where its steady epoch isn't faster.
    """
    gain = fit["epoch_seconds"] - row["epoch_seconds"]
    if gain <= 0:
        return None
    behind = row["first_epoch_seconds"] - fit["first_epoch_seconds"]
    return max(1, math.floor(behind / gain) + 2)


def _measured(row: Row, fit: Row | None) -> list[str]:
    speedup, pays = "", ""
    if fit is not None and row["loop"] != FIT:
        gain = Estimate(*(row[f"speedup_over_fit{end}"] for end in ("", "_low", "_high")))
        speedup = ratio_text(gain)
        epochs = pays_from(row, fit)
        pays = "never" if epochs is None else f"epoch {epochs:,}"
        if gain.low is None or gain.high is None or gain.low <= 1 <= gain.high:
            pays = "undecided"
    first = f"{row['first_epoch_seconds']:.2f}"
    return [with_interval(_epoch(row), milliseconds), speedup, first, pays]


def _why_not(row: Row) -> list[str]:
    reason = row["failure"] or row["parity_summary"]
    return [plain(reason), "", "", ""]


def _counts(row: Row) -> bool:
    return row["failure"] is None and row["parity"] != "differs"


def _fit(table: Document, backend: str) -> Row | None:
    found = (row for row in table["rows"] if (row["backend"], row["loop"]) == (backend, FIT))
    return next((row for row in found if _counts(row)), None)


def _epoch(row: Row) -> Estimate:
    return Estimate(row["epoch_seconds"], row["epoch_seconds_low"], row["epoch_seconds_high"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Keep the tables that the command line names, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--loops", type=Path, help="a latest.json to keep first")
    parser.add_argument("--zoo", type=Path, help="the same of the zoo")
    options = parser.parse_args(arguments)
    for given, stored in ((options.loops, STORED), (options.zoo, ZOO)):
        if given is not None:
            shutil.copyfile(given, stored)
    loops, zoo = (json.loads(file.read_text(encoding="utf-8")) for file in (STORED, ZOO))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), loops, zoo), encoding="utf-8")


if __name__ == "__main__":
    main()
