"""How much of a core processes ask for, whether they get it or not."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

NANOSECONDS = 1e-9

#: Where "utime" and "stime" are in /proc/PID/stat, behind the name of the program.
USER_TICKS, SYSTEM_TICKS = 11, 12


@dataclass(frozen=True)
class Demand:
    """What processes have had of the cores so far, and how long their threads waited for one.

    `waiting_seconds` is by thread, of those that there are; `cpu_seconds` is also of those that
    have ended.
    """

    cpu_seconds: float
    waiting_seconds: Mapping[int, float]

    def since(self, before: "Demand") -> float:
        """Return for how many seconds of a core the processes have asked since then.

        Other programs and the machine's speed change how soon a core is given, and hardly how long
        it is asked for: a thread that sleeps, or waits for another one, asks for none.
        """
        waited = sum(
            seconds - before.waiting_seconds.get(thread, 0.0)
            for thread, seconds in self.waiting_seconds.items()
        )
        return self.cpu_seconds - before.cpu_seconds + waited


def demand(pids: Iterable[int]) -> Demand | None:
    """Return the demand of these processes so far; None where the system doesn't tell.

    Only Linux does. A process that has ended has none.
    """
    cpu_seconds, waiting, known = 0.0, {}, False
    for pid in pids:
        try:
            _, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except OSError:
            continue
        ticks = [int(fields.split()[place]) for place in (USER_TICKS, SYSTEM_TICKS)]
        cpu_seconds += sum(ticks) / os.sysconf("SC_CLK_TCK")
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                _, nanoseconds, _ = file.read_text().split()
            except OSError:  # The thread has ended meanwhile.
                continue
            waiting[int(file.parent.name)] = int(nanoseconds) * NANOSECONDS
            known = True
    return Demand(cpu_seconds, waiting) if known else None
