"""What on this machine spoils timings, and what to do about it."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measure.environments import THREAD_VARIABLES, Interpreter
from bench.measure.machine import usable_cores

#: The share of the machine that other programs may use before it shows in the timings.
BUSY_PERCENT = 10.0
STEAL_PERCENT = 1.0
#: How long load and steal are watched.
WATCH_SECONDS = 0.3

#: Debuggers, tracers and profilers that slow down what they watch.
OBSERVERS = {
    "gdb", "lldb", "strace", "ltrace", "perf", "py-spy", "valgrind", "memray", "austin", "scalene",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What was seen of the machine. None means that the system doesn't tell."""

    usable_cores: int
    cpu_quota_cores: float | None
    busy_percent: float
    steal_percent: float | None
    governor: str | None
    on_battery: bool | None
    thread_variables: tuple[str, ...]
    observers: tuple[str, ...]
    crowded: tuple[tuple[str, tuple[str, ...]], ...]
    """Interpreters that hold several frameworks, and which."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it spoils timings, what was seen, what to do."""

    subject: str
    spoils: bool
    seen: str
    remedy: str


def examine(interpreters: Mapping[str, Interpreter]) -> Facts:
    """Look at the machine for a third of a second."""
    shares = _cpu_shares()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    crowded = {
        interpreter.python: interpreter.backends
        for interpreter in interpreters.values()
        if len(interpreter.backends) > 1
    }
    return Facts(
        usable_cores=usable_cores(),
        cpu_quota_cores=_cpu_quota_cores(),
        busy_percent=100.0 * (1.0 - shares["idle"] - shares.get("iowait", 0.0)),
        steal_percent=100.0 * shares["steal"] if "steal" in shares else None,
        governor=_governor(),
        on_battery=None if battery is None else battery.power_plugged is False,
        thread_variables=tuple(name for name in THREAD_VARIABLES if name in os.environ),
        observers=_observers(),
        crowded=tuple(sorted(crowded.items())),
    )


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    """Judge the facts. The order is that of the report."""
    cores = facts.usable_cores
    quota = facts.cpu_quota_cores
    findings = [
        Finding(
            "load",
            facts.busy_percent > BUSY_PERCENT,
            f"{facts.busy_percent:.0f} % of the machine is busy with other programs",
            "close them, or wait until they are done",
        ),
        Finding(
            "cores",
            cores < 2,
            f"{cores} usable core{'s' if cores != 1 else ''}",
            "give the suite a second core, so that the system doesn't share the worker's",
        ),
        Finding(
            "CPU quota",
            quota is not None and quota < cores,
            "none" if quota is None else f"the container may use {quota:g} of {cores} cores",
            "raise the container's CPU limit to whole cores: a quota stops threads in mid-epoch",
        ),
        Finding(
            "frequency governor",
            facts.governor not in (None, "performance"),
            facts.governor or "not visible here",
            "`sudo cpupower frequency-set -g performance`",
        ),
        Finding(
            "steal time",
            facts.steal_percent is not None and facts.steal_percent > STEAL_PERCENT,
            "not visible here"
            if facts.steal_percent is None
            else f"{facts.steal_percent:.1f} % taken by other virtual machines",
            "measure on a machine of your own, or at a quieter hour",
        ),
        Finding(
            "power",
            bool(facts.on_battery),
            "on battery" if facts.on_battery else "not on battery",
            "plug the machine in",
        ),
        Finding(
            "thread variables",
            bool(facts.thread_variables),
            f"{', '.join(facts.thread_variables)} set" if facts.thread_variables else "none set",
            "nothing to do: workers don't inherit them; choose threads with --threads",
        ),
        Finding(
            "debugger or profiler",
            bool(facts.observers),
            ", ".join(facts.observers) or "none",
            "end it: it slows down what it watches",
        ),
    ]
    findings += [
        Finding(
            "environment",
            True,
            f"{python} holds {', '.join(backends)}",
            "give each backend an environment of its own (--env): Keras imports TensorFlow "
            "where it finds it, which costs start-up time and memory",
        )
        for python, backends in facts.crowded
    ]
    if not facts.crowded:
        findings.append(Finding("environment", False, "no more than one framework in each", ""))
    return tuple(findings)


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
