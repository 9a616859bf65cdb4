"""What a calibration found, on a terminal and in Markdown."""

import math

from rich.console import Console
from rich.text import Text

from keras_bench.analyze.calibration import Capability, Power, Rate
from keras_bench.analyze.clocks import CLOCK_NAMES
from keras_bench.analyze.numbers import number, percent
from keras_bench.records import Calibration
from keras_bench.report.markdown import pipe_table, plain
from keras_bench.report.terminal import print_table
from keras_bench.report.text_table import Head, TextTable

HEADS = (
    Head("true slowdown"),
    Head("regressed, of gates drawn", numeric=True),
    Head("of gates in order", numeric=True, rank=1),
    Head("rounds", numeric=True),
    Head("time, s", numeric=True, rank=2),
)


def calibration_table(found: Capability, title: str = "") -> TextTable:
    """Return a row for every slowdown."""
    return TextTable(HEADS, [_cells(power) for power in found.powers], (), title, CAPTION)


def _cells(power: Power) -> list[str]:
    return [
        percent(power.slowdown) if power.slowdown else "none",
        _share(power.regressed),
        "0 of 0" if power.in_order is None else _count(power.in_order),
        number(power.rounds, 3),
        number(power.seconds, 3),
    ]


def sentences(calibration: Calibration, found: Capability, threshold: float) -> list[str]:
    """Say what the table means."""
    name = f"{calibration.workload} on {calibration.backend}"
    rounds = len(calibration.rounds)
    if found.noise is None:
        return [f"{name}: {rounds} rounds are too few to say anything; ask for more with --passes."]
    said = [
        f"{name}: a round's ratio is off by {percent(found.noise)} (standard deviation),"
        f" by {rounds} rounds."
    ]
    if found.smallest_slowdown is None or found.budget_seconds is None:
        said.append(
            "No threshold up to 50% finds a slowdown of its own size in 95 of 100 gates: this"
            " machine is too restless; `keras-bench doctor` may say why."
        )
    else:
        said.append(
            f"The smallest slowdown that 95 of 100 gates find is {percent(found.smallest_slowdown)}"
            f": --threshold {found.smallest_slowdown:g} --budget {math.ceil(found.budget_seconds)}."
        )
        if threshold < found.smallest_slowdown:
            said.append(f"A threshold of {percent(threshold)} is more than it can see.")
    return said


#: Below the table.
CAPTION = (
    "95 % intervals. Drawn gates know of the machine what the measured rounds know, and no more;"
    " gates in order use each round once, so they are independent, and few. The time leaves out"
    " the check of parity."
)


def print_calibration(
    console: Console, calibration: Calibration, found: Capability, threshold: float
) -> None:
    """Print the table and what it means."""
    title = f"gates with a threshold of {percent(threshold)}"
    console.print()
    print_table(console, calibration_table(found, title))
    for said in sentences(calibration, found, threshold):
        console.print(Text(said))


def markdown(calibration: Calibration, found: Capability, threshold: float) -> str:
    """Return the table and what it means in GitHub-flavoured Markdown."""
    table = pipe_table(calibration_table(found))
    said = "\n".join(f"- {plain(each)}" for each in sentences(calibration, found, threshold))
    name = plain(f"{calibration.workload} on {calibration.backend}")
    asked = (
        f"threshold {percent(threshold)}, {CLOCK_NAMES[calibration.metric]}, threads"
        f" {calibration.threads}, seed {calibration.seed}"
    )
    return f"### {name}\n\n{asked}\n\n{table}\n\n{CAPTION}\n\n{said}\n"


def _count(rate: Rate) -> str:
    interval = f"{100 * rate.low:.0f} to {100 * rate.high:.0f}%"
    return f"{round(rate.value * rate.gates)} of {rate.gates} ({interval})"


def _share(rate: Rate) -> str:
    return f"{100 * rate.value:.1f}% ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
