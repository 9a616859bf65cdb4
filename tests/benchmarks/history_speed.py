"""How long a history takes to be read and searched, and how that grows with its rows.

Makes histories in which the level shifts now and then, all in one series, in the twelve series of
two workloads on three backends and two machines, and in many series of ten rows; reads and searches
each three times and prints the shortest. Run it with
`PYTHONPATH=tests/support python tests/benchmarks/history_speed.py`; it takes half a minute, and
nothing else should run meanwhile.
"""

import argparse
import csv
import math
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from history_builders import history_row, started

from keras_bench.analyze.history import HistoryRow
from keras_bench.analyze.shifts import find_series
from keras_bench.store.history import COLUMNS, load

#: The last are the six arms of 10,000 runs.
ROWS = (1_250, 2_500, 5_000, 10_000, 20_000, 60_000)
REPEATS = 3

NOISE = 0.02
#: A level lasts so many runs in the mean.
RUNS_PER_LEVEL = 100


def history(rows: int, series: int, steady: bool) -> list[HistoryRow]:
    """Return rows that go round the series, whose levels shift now and then unless `steady`."""
    generator = np.random.default_rng(1)
    levels = np.zeros(series)
    made = []
    for number in range(rows):
        place = number % series
        if not steady and generator.random() < 1 / RUNS_PER_LEVEL:
            levels[place] += generator.choice([-0.1, 0.1])
        seconds = 0.05 * math.exp(levels[place] + generator.normal(0, NOISE))
        made.append(
            history_row(
                started_utc=started(number),
                workload=f"net{place}",
                epoch_seconds=seconds,
                epoch_seconds_low=seconds * 0.98,
                epoch_seconds_high=seconds * 1.02,
            )
        )
    return made


def seconds_of(rows: list[HistoryRow], file: Path) -> tuple[float, float]:
    """Write the rows as a history, and return the seconds to read and to search it."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(map(asdict, rows))
    reading, searching = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        loaded = load(file)
        read = time.perf_counter()
        find_series(loaded.rows)
        searching.append(time.perf_counter() - read)
        reading.append(read - start)
        assert len(loaded.rows) == len(rows)
    return min(reading), min(searching)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    lines = ["| rows | series | levels | read, s | search, s | both ÷ 10,000 rows, s |",
             "| ---: | ---: | :--- | ---: | ---: | ---: |"]  # fmt: skip
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as folder:
        for name, steady, series_of in (
            ("one", True, lambda rows: 1),
            ("shifting", False, lambda rows: 1),
            ("shifting", False, lambda rows: 12),
            ("shifting", False, lambda rows: rows // 10),
        ):
            for rows in ROWS:
                series = series_of(rows)
                reading, searching = seconds_of(
                    history(rows, series, steady), Path(folder) / "history.csv"
                )
                each = (reading + searching) / rows * 10_000
                lines.append(
                    f"| {rows:,} | {series:,} | {name} | {reading:.3f} | {searching:.3f}"
                    f" | {each:.3f} |"
                )
                print(lines[-1], flush=True)
    if options.write:
        options.write.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
