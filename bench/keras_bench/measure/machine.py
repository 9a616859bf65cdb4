"""Facts about this machine, and their hash, which says which runs may be compared."""

import hashlib
import os
import platform
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import psutil

from keras_bench.records import Machine


def this_machine() -> Machine:
    """Read the facts that decide which runs may be compared, none that name a person or host."""
    machine = Machine(
        cpu=_cpu_model(),
        architecture=platform.machine(),
        logical_cores=psutil.cpu_count() or 1,
        usable_cores=usable_cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=platform.system(),
        system_release=platform.release(),
        fingerprint="",
    )
    text = "\n".join(f"{key}={value}" for key, value in sorted(asdict(machine).items()))
    return replace(machine, fingerprint=hashlib.sha256(text.encode()).hexdigest()[:8])


def usable_cores() -> int:
    """Return how many cores this process may run on, by its affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quiet_core() -> int | None:
    """Return the core that the system itself uses least, or None where workers can't be pinned.

    It is the last one: interrupts and the coordinator's own work mostly land on the first.
    """
    if usable_cores() < 2 or not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.strip()
    return platform.processor() or platform.machine()
