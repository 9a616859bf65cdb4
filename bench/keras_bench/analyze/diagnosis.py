"""What of a machine's surroundings spoils timings, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keras_bench.analyze.load import BUSY_PERCENT
from keras_bench.records import Surroundings

#: The share of the machine that other virtual machines may take before it shows in the timings.
STEAL_PERCENT = 1.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it spoils timings, what was seen, what to do."""

    subject: str
    spoils: bool
    seen: str
    remedy: str


def without_folders(seen: Surroundings) -> Surroundings:
    """Return what may be kept with a run: a stored file names no folder of the machine."""
    an = "an interpreter"
    return replace(
        seen,
        crowded=tuple((an, backends) for _, backends in seen.crowded),
        distributions=tuple((an, module, names) for _, module, names in seen.distributions),
    )


def diagnose(seen: Surroundings) -> tuple[Finding, ...]:
    """Judge the seen. The order is that of the report."""
    cores = seen.usable_cores
    quota = seen.cpu_quota_cores
    findings = [
        Finding(
            "load",
            seen.busy_percent > BUSY_PERCENT,
            f"{seen.busy_percent:.0f} % of the machine is busy with other programs",
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
            seen.governor not in (None, "performance"),
            seen.governor or "not visible here",
            "`sudo cpupower frequency-set -g performance`",
        ),
        Finding(
            "steal time",
            seen.steal_percent is not None and seen.steal_percent > STEAL_PERCENT,
            "not visible here"
            if seen.steal_percent is None
            else f"{seen.steal_percent:.1f} % taken by other virtual machines",
            "measure on a machine of your own, or at a quieter hour",
        ),
        Finding(
            "power",
            bool(seen.on_battery),
            "on battery" if seen.on_battery else "not on battery",
            "plug the machine in",
        ),
        Finding(
            "thread variables",
            bool(seen.thread_variables),
            f"{', '.join(seen.thread_variables)} set" if seen.thread_variables else "none set",
            "nothing to do: workers don't inherit them; choose threads with --threads",
        ),
        Finding(
            "debugger or profiler",
            bool(seen.observers),
            ", ".join(seen.observers) or "none",
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
        for python, backends in seen.crowded
    ]
    if not seen.crowded:
        findings.append(Finding("environment", False, "no more than one framework in each", ""))
    findings += [_brought(*each) for each in seen.distributions]
    return tuple(findings)


def _brought(python: str, module: str, names: Sequence[str]) -> Finding:
    """Say what brings a module; several distributions leave a mixture of their files."""
    return Finding(
        "distribution",
        len(names) > 1,
        f"{python} has {module} from {' over '.join(names)}",
        f"install one of them alone, in a new environment: each wrote its {module} over the other's"
        if len(names) > 1
        else "",
    )
