"""How much of a core processes ask for, whether they get it or not."""

from collections.abc import Iterable
from pathlib import Path

NANOSECONDS = 1e-9


def runnable_seconds(pids: Iterable[int]) -> float | None:
    """Return how long all threads of these processes have run or waited for a core so far.

    Other programs and the machine's speed change how soon a core is given, and hardly how long it
    is asked for: a thread that sleeps, or waits for another one, asks for none. None where the
    system doesn't tell, as only Linux does.
    """
    total, known = 0.0, False
    for pid in pids:
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                running, waiting, _ = file.read_text().split()
            except OSError:  # The thread has ended meanwhile.
                continue
            total += (int(running) + int(waiting)) * NANOSECONDS
            known = True
    return total if known else None
