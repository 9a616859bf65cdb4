"""Where the level of a history shifts: step detection on the logarithms of epoch times.

The levels are those of the least squares, with a penalty for each that comes from the noise of the
series itself, after outliers were replaced. The penalty is a low one and offers more places than
there are shifts.
Of these the least sure is dropped again and again until every one of those that are left passes
Student's t test at a level that makes a false shift rare in the whole series. Testing what a
search has found by Student's t is what Hunter does too, whose search is another (M. Fleming and
others, ICPE 2023, doi:10.1145/3578244.3583719).
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
import scipy

from keras_bench.analyze.history import LEAST_NOISE, HistoryRow, Key, key, own_error
from keras_bench.analyze.partition import partition
from keras_bench.analyze.stats import CONFIDENCE_LEVEL, Estimate

#: One run is no level, and of four a few may be outliers, which a busy machine often has together.
LEAST_RUNS = 5

#: A value that is so many times the noise away from the median of its neighbourhood, four runs on
#: each side, is an outlier and counts as that median. A level of five keeps its own median.
OUTLIER_NOISES = 3.5
NEIGHBOURHOOD = 9

#: What a further level must explain to be offered, in squares of the noise and times the logarithm
#: of the number of runs. It is a little more than the 2 of Schwarz's criterion; the test decides.
PENALTY = 2.5

#: The level of the test of one shift in a series of 100 runs, by which one of 100 such series
#: shifts though nothing has changed (`tests/simulation/test_shifts.py` simulates it), and the power
#: of the number of runs by which it falls. That is steeper than the number of tests grows: with
#: few runs a shift is hard to see, and a false one soon gone; with many it is easy, and stays.
FALSE_STEPS = 1.5e-4
FALSE_STEPS_RUNS = 100
FALSE_STEPS_POWER = 1.5

#: The share of newest runs that are warned of though nothing has changed.
FALSE_WARNINGS = 0.01

#: The search takes as long as the square of what it looks at. So it looks through windows of so
#: many runs, more than a test of two levels has use for.
WINDOW = 1000

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """Runs in a row that differ by noise alone, and the centre of their epochs."""

    rows: tuple[HistoryRow, ...]
    epoch_seconds: Estimate


@dataclass(frozen=True)
class Shift:
    """A lasting change: the last run before it and the first after it.

    `ratio` is the new level ÷ the old one. `changes` says what differs between the two runs,
    empty where nothing does that is recorded.
    """

    before: HistoryRow
    after: HistoryRow
    ratio: Estimate
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Stray:
    """The newest run, and those in a row before it, that the noise of the level doesn't explain.

    They all lie on the same side of what was `expected`, the level with the bounds of a further
    run, and are too few to be a level of their own.
    """

    rows: tuple[HistoryRow, ...]
    expected: Estimate


@dataclass(frozen=True)
class Series:
    """Comparable runs in the order of time, their levels, and a shift between each two.

    `left_out` counts the runs that failed or learned something else. Where no others are, there
    is no level.
    """

    key: Key
    levels: tuple[Level, ...]
    shifts: tuple[Shift, ...]
    stray: Stray | None
    left_out: int


def find_series(rows: Sequence[HistoryRow]) -> tuple[Series, ...]:
    """Sort rows into series and find the levels of each. The order is that of workload and arm."""
    by_key: dict[Key, list[HistoryRow]] = {}
    for row in sorted(rows, key=lambda row: row.started_utc):
        by_key.setdefault(key(row), []).append(row)
    # Machines stay in the order in which they came, for the sort is stable.
    arms = sorted(by_key, key=lambda each: astuple(each)[:-1])
    return tuple(_series(each, by_key[each]) for each in arms)


def find_shifts(logs: FloatArray, least_noise: float = LEAST_NOISE) -> list[int]:
    """Return the places at which a new level begins.

    Args:
        logs: the logarithm of an epoch per run, in the order of time.
        least_noise: the noise that is there at least, as the runs' own intervals tell.
    """
    if len(logs) < 2 * LEAST_RUNS:
        return []
    noise = _noise(logs, least_noise)
    calm = _without_outliers(logs, noise)
    return _sure(_offered(calm, noise), calm, least_noise)


def _series(its_key: Key, rows: Sequence[HistoryRow]) -> Series:
    counting = [row for row in rows if row.counts]
    left_out = len(rows) - len(counting)
    if not counting:
        return Series(its_key, (), (), None, left_out)
    logs = np.log([row.epoch_seconds for row in counting])
    least_noise = _own_noise(counting)
    places = find_shifts(logs, least_noise)
    calm = _without_outliers(logs, _noise(logs, least_noise))
    fit = _fit(calm, places, least_noise)
    return Series(
        its_key,
        _levels(counting, places, fit),
        _shifts(counting, places, fit),
        _stray(counting, logs, calm, places, least_noise),
        left_out,
    )


def _own_noise(rows: Sequence[HistoryRow]) -> float:
    """Return the standard error that the intervals of the runs themselves show.

    Runs differ by more than that, for the machine changes between them; but of a few runs that
    are equal by chance it says how little that means.
    """
    errors = [error for error in map(own_error, rows) if error is not None]
    return max(LEAST_NOISE, float(np.median(errors))) if errors else LEAST_NOISE


def _noise(logs: FloatArray, least_noise: float) -> float:
    """Return the standard deviation of a run within its level.

    It comes from the differences of neighbours, which know nothing of levels, and their median,
    which a few shifts and outliers don't move; 1.4826 makes that of normal noise its deviation.
    """
    if len(logs) < 2:
        return least_noise
    return max(least_noise, 1.4826 * float(np.median(np.abs(np.diff(logs)))) / math.sqrt(2))


def _without_outliers(logs: FloatArray, noise: float) -> FloatArray:
    """Return the values with each outlier replaced by the median of those around it."""
    if len(logs) < NEIGHBOURHOOD:
        return logs
    around = scipy.ndimage.median_filter(logs, NEIGHBOURHOOD)
    # The first and the last runs have the same neighbourhood as those that have one on both sides.
    edge = NEIGHBOURHOOD // 2
    around[:edge] = around[edge]
    around[-edge:] = around[-edge - 1]
    return np.where(np.abs(logs - around) > OUTLIER_NOISES * noise, around, logs)


def _offered(values: FloatArray, noise: float) -> list[int]:
    """Return where levels may begin, window by window.

    A window's last quarter is looked at again by the next one, which begins with the last level
    that is known, or in the middle of one that is longer than the window.
    """
    penalty = PENALTY * math.log(len(values)) * noise**2
    places: list[int] = []
    start = 0
    while True:
        window = values[start : start + WINDOW]
        found = partition(window - window.mean(), LEAST_RUNS, penalty)
        if start + WINDOW >= len(values):
            return places + [start + place for place in found]
        found = [place for place in found if place <= WINDOW * 3 // 4]
        places += [start + place for place in found]
        start += found[-1] if found else WINDOW // 2


@dataclass(frozen=True)
class _Fit:
    """Levels fitted to values: the runs and the mean of each, and the noise around them all."""

    counts: npt.NDArray[np.int64]
    means: FloatArray
    noise: float
    freedom: int


def _fit(values: FloatArray, places: Sequence[int], least_noise: float) -> _Fit:
    starts = [0, *places]
    counts = np.diff([*starts, len(values)])
    means = np.add.reduceat(values, starts) / counts
    freedom = len(values) - len(counts)
    squares = float(np.sum((values - np.repeat(means, counts)) ** 2))
    noise = max(least_noise, math.sqrt(squares / freedom)) if freedom else least_noise
    return _Fit(counts, means, noise, freedom)


def _sure(places: list[int], values: FloatArray, least_noise: float) -> list[int]:
    """Drop the least sure place until every one that is left passes the test."""
    false = FALSE_STEPS * (FALSE_STEPS_RUNS / len(values)) ** FALSE_STEPS_POWER
    while places:
        fit = _fit(values, places, least_noise)
        steps = np.abs(np.diff(fit.means)) / _step_errors(fit)
        weakest = int(np.argmin(steps))
        if steps[weakest] >= scipy.special.stdtrit(fit.freedom, 1 - false / 2):
            break
        places = places[:weakest] + places[weakest + 1 :]
    return places


def _step_errors(fit: _Fit) -> FloatArray:
    """Return the standard error of each step from a level to the next."""
    return fit.noise * np.sqrt(1 / fit.counts[:-1] + 1 / fit.counts[1:])


def _levels(rows: Sequence[HistoryRow], places: Sequence[int], fit: _Fit) -> tuple[Level, ...]:
    if len(rows) == 1:
        (row,) = rows
        alone = Estimate(row.epoch_seconds, row.epoch_seconds_low, row.epoch_seconds_high)
        return (Level((row,), alone),)
    edges = [0, *places, len(rows)]
    margins = _margin(fit) * fit.noise / np.sqrt(fit.counts)
    return tuple(
        Level(tuple(rows[start:end]), _estimate(mean, margin))
        for start, end, mean, margin in zip(edges[:-1], edges[1:], fit.means, margins, strict=True)
    )


def _shifts(rows: Sequence[HistoryRow], places: Sequence[int], fit: _Fit) -> tuple[Shift, ...]:
    if not places:
        return ()
    margins = _margin(fit) * _step_errors(fit)
    return tuple(
        Shift(rows[place - 1], rows[place], _estimate(step, margin), _changes(rows, place))
        for place, step, margin in zip(places, np.diff(fit.means), margins, strict=True)
    )


def _stray(
    rows: Sequence[HistoryRow],
    logs: FloatArray,
    calm: FloatArray,
    places: Sequence[int],
    least_noise: float,
) -> Stray | None:
    """Return the newest runs if those before them, on the same level, don't explain them."""
    start = places[-1] if places else 0
    if len(rows) - 1 - start < LEAST_RUNS:
        return None
    before = _fit(calm[:-1], places, least_noise)
    spread = before.noise * math.sqrt(1 + 1 / before.counts[-1])
    margin = float(scipy.special.stdtrit(before.freedom, 1 - FALSE_WARNINGS / 2)) * spread
    beside = logs[start:] - before.means[-1]
    if abs(beside[-1]) <= margin:
        return None
    alike = beside * np.sign(beside[-1]) > margin
    count = int(np.argmin(alike[::-1])) if not alike.all() else len(alike)
    return Stray(tuple(rows[-count:]), _estimate(before.means[-1], margin))


def _margin(fit: _Fit) -> float:
    """Return how many standard errors a 95 % interval reaches to each side."""
    return float(scipy.special.stdtrit(fit.freedom, (1 + CONFIDENCE_LEVEL) / 2))


def _estimate(log: float, margin: float) -> Estimate:
    return Estimate(math.exp(log), math.exp(log - margin), math.exp(log + margin))


def _changes(rows: Sequence[HistoryRow], place: int) -> tuple[str, ...]:
    """Say what differs across a shift, or else a run beside it, where noise may have put it."""
    here = _differences(rows[place - 1], rows[place])
    earlier = _differences(rows[place - 2], rows[place - 1])
    later = _differences(rows[place], rows[place + 1])
    return here or (
        *(f"{change} one run earlier" for change in earlier),
        *(f"{change} one run later" for change in later),
    )


def _differences(before: HistoryRow, after: HistoryRow) -> tuple[str, ...]:
    """Write what differs between two runs as "keras 3.14.0 → 3.15.1"."""
    recorded = {
        "keras": (before.keras_version, after.keras_version),
        before.backend: (before.framework_version, after.framework_version),
        "numpy": (before.numpy_version, after.numpy_version),
        "Python": (before.python_version, after.python_version),
        "keras-bench": (before.keras_bench_version, after.keras_bench_version),
        "examples": (str(before.examples), str(after.examples)),
        "jit_compile": (str(before.jit_compile), str(after.jit_compile)),
    }
    return tuple(
        f"{name} {old or 'none'} → {new or 'none'}"
        for name, (old, new) in recorded.items()
        if old != new
    )
