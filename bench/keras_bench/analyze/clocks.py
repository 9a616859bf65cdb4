"""Which clock counts in a gate: wall time, or the CPU time of the process."""

from keras_bench.records import Clock, Metric

#: TensorFlow trains with several threads, whatever the size of its pools, that hand work to each
#: other. How soon the system lets them go on differs from process to process by many per cent of
#: an epoch's wall time, on one core as on all; the work itself does not.
STEADIER = {"tensorflow": "cpu"}


def clock_of(metric: Metric, backend: str) -> Clock:
    """Return the clock that was asked for, or with "auto" the backend's steadier one."""
    if metric != "auto":
        return metric
    return "cpu" if STEADIER.get(backend) == "cpu" else "wall"


#: How the clocks are called.
CLOCK_NAMES: dict[Clock, str] = {"wall": "wall time", "cpu": "CPU time"}
