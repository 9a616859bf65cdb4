"""Whether other programs kept a machine busy while something was measured on it."""

from collections.abc import Sequence
from statistics import median

from keras_bench.records import ArmResult, Gate, Run

#: The share of the machine that other programs may use before it shows in the timings.
BUSY_PERCENT = 10.0


def load_remark_on(measured: Run | Gate, results: Sequence[ArmResult]) -> str:
    """Say how busy the machine was while these arms were measured; empty where it was quiet.

    Where a sample doesn't tell the load, the look at the machine before the measuring does.
    """
    watched = [
        sample.other_busy_cores
        for result in results
        for sample in result.samples
        if sample.other_busy_cores is not None
    ]
    if watched:
        percent = 100 * median(watched) / measured.machine.usable_cores
    elif measured.surroundings is not None:
        percent = measured.surroundings.busy_percent
    else:
        return ""
    busy = f"measured on a busy machine: other programs used {percent:.0f} % of it"
    return busy if percent > BUSY_PERCENT else ""
