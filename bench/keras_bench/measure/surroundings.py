"""Looks at what goes on around a run on this machine; judges nothing."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from keras_bench.environments.interpreters import Interpreter
from keras_bench.measure.machine import usable_cores
from keras_bench.measure.memory import available_memory_bytes
from keras_bench.measure.variables import THREAD_VARIABLES
from keras_bench.records import Surroundings

#: How long load and steal are watched.
WATCH_SECONDS = 0.3

#: Debuggers, tracers and profilers that slow down what they watch.
OBSERVERS = {
    "gdb", "lldb", "strace", "ltrace", "perf", "py-spy", "valgrind", "memray", "austin", "scalene",
}  # fmt: skip


#: Where the cores' time goes that no program of this machine uses.
NOT_BUSY = ("idle", "iowait", "steal")


def examine(interpreters: Mapping[str, Interpreter]) -> Surroundings:
    """Look at the machine for a third of a second."""
    shares = _cpu_shares()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    crowded = {
        interpreter.python: interpreter.backends
        for interpreter in interpreters.values()
        if len(interpreter.backends) > 1
    }
    distributions = {
        (interpreter.python, module, names)
        for interpreter in interpreters.values()
        for module, _ in interpreter.environment.packages
        if (names := interpreter.environment.unusual(module))
    }
    return Surroundings(
        usable_cores=usable_cores(),
        cpu_quota_cores=_cpu_quota_cores(),
        busy_percent=100.0 * (1.0 - sum(shares.get(name, 0.0) for name in NOT_BUSY)),
        steal_percent=100.0 * shares["steal"] if "steal" in shares else None,
        governor=_governor(),
        on_battery=None if battery is None else battery.power_plugged is False,
        thread_variables=tuple(name for name in THREAD_VARIABLES if name in os.environ),
        observers=_observers(),
        crowded=tuple(sorted(crowded.items())),
        distributions=tuple(sorted(distributions)),
        available_memory_bytes=available_memory_bytes(),
    )


def other_cpu_seconds() -> float:
    """Return the CPU seconds that all programs but this one and its ended workers ever used."""
    spent = psutil.cpu_times()._asdict()
    busy = sum(spent[name] for name in spent if name not in NOT_BUSY and "guest" not in name)
    own = os.times()
    return float(busy - own.user - own.system - own.children_user - own.children_system)


def _cpu_shares() -> dict[str, float]:
    """Return what share of all cores' time went where while we watched.

    `psutil.cpu_times_percent` takes any shorter interval for a whole second.
    """
    before = psutil.cpu_times()._asdict()
    time.sleep(WATCH_SECONDS)
    after = psutil.cpu_times()._asdict()
    # Guests' time stands in user's and nice's already.
    spent = {name: after[name] - before[name] for name in after if "guest" not in name}
    total = sum(spent.values()) or 1.0
    return {name: seconds / total for name, seconds in spent.items()}


def _governor() -> str | None:
    file = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    try:
        return file.read_text().strip()
    except OSError:
        return None


def _cpu_quota_cores() -> float | None:
    """Return the CPU quota of this control group (version 2) in cores, or None."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _observers() -> tuple[str, ...]:
    found = {
        process.info["name"]
        for process in psutil.process_iter(["name"])
        if process.info["name"] in OBSERVERS
    }
    if sys.gettrace() is not None or sys.getprofile() is not None:
        found.add("a tracer inside this Python")
    status = Path("/proc/self/status")
    if status.exists() and "TracerPid:\t0" not in status.read_text():
        found.add("a debugger on this process")
    return tuple(sorted(found))
